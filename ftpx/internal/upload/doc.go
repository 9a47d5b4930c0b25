// Package upload sends one file. It writes to a partial file next to the destination,
// verifies the existing bytes before it appends, verifies the whole file, and then renames it.
//
// Read upload.go first: once is one attempt. Each attempt looks up what the server holds
// (look.go, resume.go). The rest of the source, and everything that follows it, leaves as one
// batch (put.go). commit.go gives the partial its name (place.go), and what Client.Rename moves
// (rename.go). partial.go is the known state of the partial, name.go its name, window.go how much
// of it may be under way and is read back later, and source.go
// where the bytes come from. append.go adds to an existing file, and never sends twice what
// may have arrived.
package upload
