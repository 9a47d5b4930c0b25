// Package ftpxslog writes what a client does to a log/slog logger.
//
//	c, err := ftpx.Open(ctx, url, &ftpx.Options{Hooks: ftpxslog.New(logger, nil)})
//
// Read [New] first. The levels:
//
//   - Error: an operation has failed, or nobody knows whether it has taken effect.
//   - Warn: a retry, a resume that the server refused, a comparison that failed, a host
//     that is spared for a while.
//   - Info: an operation has ended, work has moved to another host, an alarm is raised or
//     cleared, a host is well again.
//   - Debug: attempts, waits, connections with the phases of each, what was learned of a
//     host, commands and replies, and operations within other ones that move no file.
//
// A record's message is one of a few constants, so that it can be searched for. Groups say
// what the rest is about: "server" (host, protocol, addr), "file" (local, remote) and "conn"
// (id and what is known of the connection). Each operation has an "id", and one within
// another the "parent" too.
//
// The context of each event is passed on, so that a handler that adds the ids of a trace
// finds them. Passwords are never logged. Control characters in what a server or a file
// name says are escaped, and long texts are cut, whatever the handler does. Names of files
// and folders can be left out, see [Options].OmitPaths.
package ftpxslog
