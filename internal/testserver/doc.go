// Package testserver runs real FTP, FTPS and SFTP servers inside the process, on
// loopback and rooted in one folder, for tests, benchmarks and the demo.
//
// Read [StartTrio] first: one call starts all of them with throw-away keys.
// [StartFTP] and [StartSFTP] start one each, with the switches that make it
// behave like some server in the field: limits on connections, missing
// commands, full disks, refused paths, TLS session reuse demanded.
//
// The servers are ftpserverlib and pkg/sftp. Their quirks are not vsftpd's or
// OpenSSH's, so a property that matters in the field is also to be shown against
// the real servers of internal/realserver.
//
// Not for production: authentication is one user with one password, and nothing
// here was built to face a network. Connections from anywhere but loopback are
// refused.
//
// Every Start function returns with the server listening, and every Close ends
// what that start began (listeners, sessions, goroutines, open files) and waits
// for it.
package testserver
