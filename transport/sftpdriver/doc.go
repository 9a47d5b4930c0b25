// Package sftpdriver speaks SFTP version 3 (draft-ietf-secsh-filexfer-02) over
// SSH, as a [transport.Conn], on golang.org/x/crypto/ssh and
// github.com/pkg/sftp.
//
// Read in this order: [Dial] and the steps of connecting in dial.go; [Conn] in
// conn.go, where every request begins and ends; pipe.go, which lets requests
// of our own travel between those of pkg/sftp; store.go and retrieve.go. Who
// the server must be is in hostkeys.go and knownhosts.go, who we are in auth.go
// and identity.go, what a failure means in classify.go and greeting.go.
//
// pkg/sftp opens the session, writes files and changes names. Reading, listing
// and removing go through pipe.go, because pkg/sftp cannot do them as the
// contract asks: its concurrent WriteTo loses data on short reads (its issues
// 424 and 658), its ReadDir holds a whole folder in memory and cannot tell a
// missing size from an empty file, and its Remove deletes folders as well.
//
// Programs use package ftpx. A connection made here retries nothing.
package sftpdriver
