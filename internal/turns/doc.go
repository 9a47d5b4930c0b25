// Package turns freezes what transfers cost in round trips: the commands that
// SFTP, FTP and FTPS send, grouped by turn, and the number of turns, in golden
// files that serve as a ratchet. A number may fall and never rise.
//
//	go test ./internal/turns                   # the embedded servers
//	go test -v -run Table ./internal/turns     # the numbers as a table
//	go test ./internal/turns -update           # accept what has fallen or changed
//
// and, as root, with the servers of package realserver,
//
//	go test -tags realserver -timeout 30m -run Real ./internal/turns
//	go test -tags realserver -timeout 30m -run RealElapsed ./internal/turns -elapsed
//
// of which the second takes the time, and so wants a machine that does nothing else
// (or nice -n -15).
//
// # What a turn is
//
// A turn is all that a client sends on one connection without waiting for an
// answer to any of it. In the tests each request has a depth: one more than the
// largest depth among the replies that had reached the client when it left. A
// reply has the depth of its request. The requests of one depth are a turn, so
// that two requests that leave together are one turn even if the answer to
// another request arrives between them.
//
// The turns of several connections are added up. That is work, not waiting; what
// happens at the same time on several connections shows in the elapsed column.
//
// # Why it is counted on the wire
//
// ftpx.Hooks does not show turns. For SFTP, Hooks.Command names the steps of an
// operation and not the requests on the wire; Hooks.Reply follows when the next
// step begins, so that what was pipelined looks as if it had been waited for. For
// FTP the order is right, but a hook does not say which connection it is about. So
// the tests count at a relay on loopback, and use no name of the inside of the
// module: only ftpx, its options and its hooks.
//
//   - FTP and FTPS: the relay passes the bytes of the control connection on
//     unread, and for FTPS they are encrypted. What the server has sent has the
//     depth of the last bytes that had reached it. The hooks give the words: the
//     commands told since the relay last read from the client are what it reads.
//     Data connections do not count.
//   - SFTP: the relay is an SSH server for the client and a client of the server,
//     and reads the SFTP packets, which name their requests by number. The
//     handshake and the login of SSH are not counted.
//
// The relay holds everything back for 5 ms each way. Without that, an answer
// could arrive before the client has sent what it was going to send anyway, and
// the count would depend on chance.
//
// A stream of SFTP's READ or WRITE on one handle is one turn, however many
// packets it has, because how often it pauses depends on the window and on the
// machine. Only a stream that has moved no more than 256 KiB and has stopped
// until all its answers were in is counted as a further turn.
//
// # What the columns are
//
// "turns" is the count. "charset" is the same with Options.Charset set, with names
// in ASCII. "elapsed", with real servers only, is the time of the call on a line
// with a round trip of 20 ms, in round trips, the connecting of data connections
// and the work of client and server included: the median of three. It may be
// exceeded by half a round trip. That holds for small files where other programs run
// too; for those of 4 MiB, of which the work is a part, only where none do.
//
// A slow moment can make two turns of what was sent as one, and never the
// opposite. So what is too high is measured again, and the least counts. The turns
// of single files are then the same in every run; those of the folder may differ by
// two, since which file waits for which is chance.
//
// # What the cases are
//
//   - login: from nothing to a connection that is ready.
//   - small, large: a new file of 4 KiB or 4 MiB, on a connection that is ready.
//   - resumed: 4 MiB of which a former client, whose connection was reset after
//     2 MiB, has left the beginning.
//   - reset: 4 MiB; the connection that carries the payload (FTP's data connection
//     or SFTP's only one) is reset after 2 MiB, and the same call ends the transfer.
//   - folder: 40 files of 4 KiB by folder.Upload or folder.Download over one
//     connection (Limits.Conns 1): all turns, divided by 40.
package turns
