// Package memconn is a file server and the [transport.Conn] that leads to it,
// in memory: no sockets, no goroutines, no real time needed. Policy code (retry,
// pool, choice of protocol, resume) is tested against it under testing/synctest,
// where latency, rate, stalls and outages cost nothing.
//
// Read in this order: [Options] and [Server], what is pretended; [Files], what
// is on its disk; [OpInfo] and [Fault], how an I/O operation is made to fail. A
// Conn keeps the contract of package transport to the letter, and passes
// internal/conformance in its two flavours:
//
//   - FTP, FTPS and implicit FTPS: a failed Store claims nothing (n is 0), and
//     what is on the server is a prefix without a gap;
//   - SFTP: a failed Store claims what was acknowledged, the file is cut back to
//     it while the connection lives, and may be longer, with holes, when it does
//     not.
//
// Everything that waits does so on timers and channels of the bubble that
// dialled, so that synctest sees it blocked; nothing waits with a lock held.
// What happens later on the server (an old session that goes on writing) is kept
// as a list of things due and happens when somebody looks, so that no goroutine
// outlives a test.
//
// What is shown here is policy. How real servers behave is shown against
// internal/testserver and internal/realserver.
package memconn
