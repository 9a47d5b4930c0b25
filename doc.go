// Module go-ftpx moves files over SFTP, FTPS and FTP from Go programs, whole,
// over lines that reset connections, stall and lose replies.
//
// The packages, and what to read first:
//
//   - ftpx is the client. Programs import this one. Begin with ftpx.Client.
//   - ftpx/folder sends and fetches whole folders, ftpx/ledger remembers what
//     has gone; ftpx/sshconfig, ftpx/netrc and ftpx/secrets bring settings and
//     passwords from where users keep them.
//   - ftpx/ftpxslog, ftpx/ftpxotel and ftpx/ftpxprom tell a log, OpenTelemetry
//     and Prometheus what a client does; ftpx/forecast says how likely the next
//     connection fails.
//   - retry says which errors are worth another attempt, and when to make it.
//   - transport is the contract of the drivers, how failures are named, and
//     the sockets. The drivers are transport/sftpdriver and
//     transport/ftpdriver; transport/tunnel goes through proxies and jump hosts.
//   - examples/uploader and examples/downloader are commands for batch jobs;
//     "uploader -demo" shows the whole at work without any set-up.
//   - internal serves tests, the demo and benchmarks: embedded and real
//     servers, a fault proxy, the suite that every driver passes.
//
// Imports run one way, and a test in internal/lint fails when an arrow turns:
//
//	examples -> ftpx -> retry -> transport -> jlaffaye/ftp, pkg/sftp, x/crypto/ssh
//
// docs/design.md holds the decisions and the options that were rejected.
package goftpx
