// Package ftpdriver speaks FTP, in clear or under TLS, and is the
// [transport.Conn] of the three FTP protocols.
//
// Read [Dial] first, then control.go: the connection that jlaffaye/ftp reads and
// writes is a shim of this package, which owns the socket, sees every command
// and reply, and knows at any moment whether the session is in step. The library
// carries out what it is good at (login, RETR, the one-line commands, and STOR where it
// comes after its data connection); listings, MLST, hashes and everything that two
// commands in one write make faster go past it, over the same shim.
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
// Data connections are passive: EPSV, else PASV, always to the control connection's
// peer. In active mode, see [transport.Endpoint.ActiveAddr], the server connects to
// us (EPRT, else PORT), and who else does is sent away; such a socket is not there
// yet when it is handed to the library, so that files do not go out by sendfile.
//
// The driver classifies failures and never decides about them: it does not
// retry and does not choose another protocol. Programs use package ftpx; import
// this one to talk to one server in commands of your own, see [Conn.Command].
package ftpdriver
