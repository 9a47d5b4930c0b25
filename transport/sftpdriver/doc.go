// Package sftpdriver speaks SFTP version 3 (draft-ietf-secsh-filexfer-02) over
// SSH. It implements [transport.Conn] with golang.org/x/crypto/ssh and
// github.com/pkg/sftp.
//
// Read in this order: [Dial] and the steps of connecting in dial.go; [Conn] in
// conn.go, and do.go, which runs a batch; reach.go, which decides what may leave
// in one write, and guess.go, which opens files before their condition is known.
// typed.go, rename.go and longwrite.go ask in another way if the server refuses
// the first one. The table in traits.go lists servers that differ from the others.
// pipe.go lets this package's own packets travel between those of pkg/sftp;
// store.go, retrieve.go and channels.go transfer files. hostkeys.go and
// knownhosts.go verify the server, auth.go and identity.go log in, and classify.go
// and greeting.go name failures.
//
// library.go is the only file that calls pkg/sftp. It says what goes through that
// library, and why the rest does not.
//
// Programs use package ftpx. A connection made here retries nothing.
package sftpdriver
