// Package download fetches one file: to a part beside its local name, resumed from what is
// there and matches, over several connections where that brings more, and published when
// it is whole.
//
// Read download.go first: once is one attempt. fetch.go brings what is missing, by the
// streams of streams.go, which take segments (segments.go); widen.go decides how many
// connections there are. state.go is what is noted beside the part, checkpoint.go when.
// stream.go is Client.Get, which has no part, and section.go what Client.FS reads.
package download
