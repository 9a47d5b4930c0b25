// Package ftpxtest is for testing programs that use package ftpx. It has two
// stand-ins for a server:
//
//   - [NewServer] starts real SFTP, FTPS and FTP servers inside the test, on
//     loopback, behind a line that breaks, stalls and goes down on demand: for
//     tests of a whole program, its command line and configuration included.
//   - [NewClient] is an [ftpx.Client] of a server in memory: no sockets, no files,
//     no real time. It is the very client of package ftpx on connections that are
//     not real, so that retries, resumed transfers and errors are as they are with
//     a server, and it works under testing/synctest.
//
// In an Example or a TestMain, where there is no testing.TB, use [Start].
//
// The servers know one user, whose password is no secret, and refuse connections
// from anywhere but this machine. They are for tests alone. A program that imports
// package ftpx and not this one compiles nothing of it.
package ftpxtest
