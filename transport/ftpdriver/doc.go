// Package ftpdriver speaks FTP, in clear text or over TLS. It implements
// [transport.Conn] for the three FTP protocols.
//
// Read [Conn.Do] in engine.go first. From there, plan.go decides which commands of
// a batch leave in one write, and upload.go and download.go run the transfers;
// datadial.go dials their data connections while the commands are on their way.
// The table in traits.go lists how individual servers differ from the others.
// control.go is the only file that reads replies: it owns the socket, sees every
// command and reply, and always knows whether the session is in sync. library.go
// is the only file that calls jlaffaye/ftp, which logs in and provides the serial
// way: one command after the other.
//
// Some questions can be asked in several ways. The files that try them in order
// are ports.go for data connections, doubt.go for stats and listings, and
// inside.go for servers that refuse paths. overhear.go ends a transfer that the
// server refuses while it is running.
//
// Names are sent and returned as the server's bytes. The driver asks for UTF-8 if
// the server offers it and [transport.Endpoint.Charset] is nil; names that are not
// UTF-8 still pass unchanged.
//
// Folders are listed with MLSD (RFC 3659), or otherwise with LIST, whose formats
// package transport/internal/ftplist reads. A line that makes no sense fails the
// listing, because a mirror would delete the file of a skipped line. A listing
// that is longer than 256 MiB ends with [transport.ErrListingTooLong]. Times in
// LIST are in [transport.Endpoint.ListZone].
//
// Data connections are passive by default: EPSV, otherwise PASV, also if the ports
// of EPSV can never be reached. They always go to the peer of the control
// connection. In active mode, see [transport.Endpoint.ActiveAddr], the server
// connects to this machine (EPRT, otherwise PORT), and other peers are rejected.
// In active mode the library is given a socket that does not exist yet, so files
// are not sent with sendfile.
//
// The driver classifies failures and makes no decisions about them: it does not
// retry and does not choose another protocol. Programs use package ftpx. Import
// this package to send one server commands of your own, see [transport.Raw].
package ftpdriver
