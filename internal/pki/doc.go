// Package pki makes throw-away keys and certificates: what a test, the demo and
// a benchmark need in order to run real TLS and real SSH on loopback.
//
// Start with [NewCA] for TLS and [NewSSHKey] or [NewSSHCA] for SSH; the Write
// functions put the results on disk in the forms that openssl, OpenSSH, vsftpd,
// ProFTPD and Pure-FTPd read.
//
// Nothing here is for production. Keys are made for a run and forgotten after
// it, serial numbers are random, there is no revocation list, and the defaults
// (one day of validity) would be wrong anywhere else.
//
// Every value is immutable once made and safe for concurrent use.
package pki
