// Package ftpdriver speaks FTP, in clear or under TLS, and is the
// [transport.Conn] of the three FTP protocols.
//
// Read [Dial] first, then control.go: the connection that jlaffaye/ftp reads and
// writes is a shim of this package, which owns the socket, sees every command
// and reply, and knows at any moment whether the session is in step. The library
// carries out what it is good at (login, STOR, RETR, the one-line commands);
// listings, MLST, hashes and everything that two commands in one write make
// faster go past it, over the same shim.
//
// The driver classifies failures and never decides about them: it does not
// retry and does not choose another protocol. Programs use package ftpx; import
// this one to talk to one server in commands of your own, see [Conn.Command].
package ftpdriver
