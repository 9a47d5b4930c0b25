// Package ftpdriver speaks FTP, in clear or under TLS, and is the
// [transport.Conn] of the three FTP protocols.
//
// Read [Conn.Do] in engine.go first, and from there plan.go, which decides what of a batch
// leaves in one write, upload.go and download.go; datadial.go dials their data
// connections while the commands are on their way. What one server does unlike the
// others is a table in traits.go. control.go is the one place that reads replies: it owns
// the socket, sees every command and reply, and knows at any moment whether the session
// is in step. jlaffaye/ftp, to which it is the socket, logs in and carries out the
// serial way, one command after the other, see library.go.
//
// What can be asked in several ways is a ladder: ports.go for data connections, doubt.go
// for looks and listings, inside.go where paths are refused. overhear.go ends a transfer
// that is refused while it is under way.
//
// Names are sent and given as the server's bytes. UTF-8 is asked for where the
// server offers it and [transport.Endpoint.Charset] is nil; names that are no UTF-8
// pass unchanged all the same.
//
// Folders are listed with MLSD, or else with LIST in the forms of ls, of DIR (IIS),
// EPLF and NetWare; those of VMS, z/OS data sets and IBM i are refused with
// [transport.KindUnsupported]. A line that makes no sense fails the listing,
// because leaving its entry out would make a mirror delete the file, and what is
// longer than 256 MiB ends with [transport.ErrListingTooLong]. Times of LIST are
// in [transport.Endpoint.ListZone].
//
// Data connections are passive: EPSV, else PASV, also where no port of EPSV's could ever be
// reached, always to the control connection's peer. In active mode, see [transport.Endpoint.ActiveAddr], the server connects to
// us (EPRT, else PORT), and who else does is sent away; such a socket is not there
// yet when it is handed to the library, so that files do not go out by sendfile.
//
// The driver classifies failures and never decides about them: it does not
// retry and does not choose another protocol. Programs use package ftpx; import
// this one to talk to one server in commands of your own, see [transport.Raw].
package ftpdriver
