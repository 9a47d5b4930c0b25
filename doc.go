// Module go-ftpx moves files over SFTP, FTPS and FTP. It is made for lines that
// reset connections, stall and lose replies: transfers resume, files appear when
// they are whole, and nothing counts as done before it was checked.
//
// The packages, and what to read first:
//
//   - ftpx is the client, and the package that programs import. Start with
//     ftpx.Client.
//   - ftpx/folder sends and fetches whole folders, ftpx/watch copies files as they
//     appear, ftpx/ledger remembers what was sent, and ftpx/fleet shares jobs among
//     several machines.
//   - ftpx/sshconfig, ftpx/netrc and ftpx/secrets read settings and passwords from
//     where users keep them. ftpx/doctor diagnoses a server.
//   - ftpx/ftpxslog, ftpx/ftpxotel and ftpx/ftpxprom report to a log, OpenTelemetry
//     and Prometheus; ftpx/forecast estimates how likely the next connection fails.
//   - ftpx/ftpxtest has servers and a client for your tests.
//   - retry decides which errors are worth another attempt, and when to make it.
//   - transport is the contract of the drivers. The drivers are
//     transport/sftpdriver and transport/ftpdriver; transport/internal/wire owns
//     their sockets, and transport/tunnel goes through proxies and jump hosts.
//   - examples/ftpx is the command. "go run ./examples/ftpx demo" shows everything
//     at work without any setup.
//   - internal serves tests, the demo and benchmarks: embedded and real servers, a
//     fault proxy, and the suite that every driver passes.
//
// Imports run in one direction, and a test in internal/lint enforces it:
//
//	examples -> ftpx -> retry -> transport -> jlaffaye/ftp, pkg/sftp, x/crypto/ssh
//
// docs/design.md explains how an upload works, and records the decisions with the
// options that were rejected.
package goftpx
