// Package ftplist reads what FTP servers say of files: the facts of MLSD and MLST
// (RFC 3659), the lines of LIST in the forms of ls, DIR, NetWare, EPLF, z/OS, IBM i, OpenVMS
// and NonStop, and times. It knows no connection. Names are as the server sent them: who
// uses them checks them.
package ftplist
