// Package ftpxotel turns what a client does into OpenTelemetry spans and metrics.
//
//	hooks, err := ftpxotel.New()
//	if err != nil { ... }
//	c, err := ftpx.Open(ctx, url, &ftpx.Options{Hooks: hooks})
//
// Read [New] first. There is no OpenTelemetry convention for FTP or SFTP, so that what the
// general conventions name (version 1.43.0: server.*, network.*, tls.*, error.type) is used
// as they say, and all else begins with "ftpx.".
//
// Spans:
//
//   - one for each operation, CLIENT, with the operation's name, such as "upload". A retry
//     that has helped is no error of it.
//   - "attempt", INTERNAL, beneath its operation. It fails where the attempt did. If the
//     connection was there already, opened earlier or shared with others, it has a link to
//     the "connect" span of that.
//   - "wait_for_connection", INTERNAL, beneath the attempt that had to wait.
//   - "connect", CLIENT, beneath the attempt that needed it; a root where nobody did.
//   - "command", INTERNAL, for each FTP command or SFTP request, with [WithCommands] only.
//
// Nothing is recorded as a span event: OpenTelemetry deprecates them. For records of single
// events use package ftpxslog with a handler that adds trace ids (otelslog has one).
//
// Metrics:
//
//   - ftpx.client.operation.duration, histogram, s
//   - ftpx.client.connection.setup.duration, histogram, s, by ftpx.phase; "all" for the whole
//   - ftpx.client.io, counter, By, by network.io.direction: payload, what had to be moved
//     again included
//   - ftpx.client.connection.count, up-down counter, {connection}: open ones
//
// No attribute holds a password, and none a path or a command unless you ask for it.
package ftpxotel
