// Package download fetches one file. It writes to a part file next to the local name,
// resumes from the bytes that match, uses several connections if that is faster, and
// publishes the file when it is whole.
//
// Read download.go first: once is one attempt. fetch.go fetches the missing bytes with the
// streams of streams.go, which take segments (segments.go); widen.go decides how many
// connections to use. state.go is the resume state next to the part file, and checkpoint.go
// decides when to save it. stream.go implements Client.Get, which has no part file, and
// section.go reads for Client.FS.
package download
