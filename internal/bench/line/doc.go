//go:build linux

// Package line emulates a long line between programs on one machine: a TCP proxy
// that delays every byte by half a round trip in each direction and, if told to,
// lets no more than a number of bytes a second through. It measures; for lines
// that break, see package faultproxy.
//
// # What it emulates, and what not
//
// Each direction is a queue of chunks with the moment at which each is due. The
// queue holds up to 64 MiB, so that delay times rate is never more than it takes
// below 1.6 GB/s at 40 ms: the queue is not the limit, the program under test is.
//
// A connection costs what it costs on a real line. The client's connect returns
// at once, since the kernel of this machine answers it, but nothing that the
// client sends leaves before a round trip has passed since then, and the server
// sees the connection after one and a half, as it would see the last part of
// TCP's handshake. What the client gets to read, and when, is thus what it would
// get on a line where connect itself takes the round trip. A program that takes
// the time of connect for the round trip is told zero.
//
// TCP's own windows see loopback, where there is no delay: there is no slow start,
// no congestion window and no receive window of a size that would matter. The
// limits that are left are those of the protocols and the programs: SSH's channel
// windows, requests in flight, waiting for replies. On a real line the kernel's
// limits come on top, for all programs alike.
//
// The rate is that of one line: all connections of a [Line] share it, each
// direction has its own. A connection whose bytes would wait longer than a few
// milliseconds for the line is not read from, so that what does not fit stays
// with the sender.
package line
