// Package sftpdriver speaks SFTP version 3 (draft-ietf-secsh-filexfer-02) over
// SSH, as a [transport.Conn], on golang.org/x/crypto/ssh and
// github.com/pkg/sftp.
//
// Read in this order: [Dial] and the steps of connecting in dial.go; [Conn] in conn.go
// and how it carries out a batch in do.go; what may leave together in reach.go, and what
// is opened ahead of a condition in guess.go; what is asked for in another way where it is
// refused in typed.go, rename.go and longwrite.go; pipe.go, which lets packets of our own
// travel between those of pkg/sftp; store.go, retrieve.go and channels.go. Who the server
// must be is in hostkeys.go and knownhosts.go, who we are in auth.go and identity.go,
// what a failure means in classify.go and greeting.go.
//
// What goes through pkg/sftp, and why the rest does not, is in library.go, the one file
// that calls it.
//
// Programs use package ftpx. A connection made here retries nothing.
package sftpdriver
