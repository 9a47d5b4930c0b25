// Package upload sends one file: to a partial beside its destination, proven before a
// byte is appended, verified when it is whole, and then given its name.
//
// Read upload.go first: attempt is one attempt. What a server holds is looked up in
// each one (look.go, resume.go), the rest of the source and all that follows it go out as
// one batch (put.go), and commit.go gives the partial its name. partial.go is what is
// known of the partial, name.go what it is called, source.go where the bytes come from.
// append.go adds to a file instead, and never sends twice what may have arrived.
// rename.go is Client.Rename, which replaces a file by the same steps.
package upload
