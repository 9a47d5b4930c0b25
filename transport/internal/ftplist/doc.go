// Package ftplist parses what FTP servers say about files: the facts of MLSD and MLST
// (RFC 3659), times, and the lines of LIST in the formats of ls, DIR, NetWare, EPLF, z/OS,
// IBM i, OpenVMS and NonStop. It has no connection.
//
// Names are returned as the server sent them. The caller must check them.
package ftplist
