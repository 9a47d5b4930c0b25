// Package faultproxy puts a bad line between a client and a server: a TCP proxy
// that resets, closes early, stalls, refuses, garbles, loses replies, delays and
// slows down, at a byte, an operation or an event that the caller chooses.
//
// Read [Proxy] first, then [Fault] (what can befall a connection), [Plan] (which
// connection it befalls) and [Proxy.Arm] (break operation number k of them all,
// for sweeps).
//
// A [Route] listens and forwards to one address. FTP data connections, whose
// ports nobody knows beforehand, are brought in by [Proxy.PassivePorts], which
// an embedded server asks for ports, or by [Proxy.MirrorRange], which mirrors the
// passive range of a real server on another loopback address. Neither looks into
// the control connection, so it may be encrypted.
//
// Choices are made from a seed and from each connection's number within its
// role, never from the clock: the same connections in the same order meet the
// same faults. What TCP makes of the bytes (how many arrive in one read) is not
// repeatable, so operation numbers are exact within a run and similar between runs.
//
// It forwards bytes and is no router: a connection is established with the proxy
// before the proxy has reached the server, and what the proxy has accepted has
// been acknowledged to the sender. Packet loss and true half-open connections
// need another tool, with one exception: [ListenSYNHole].
package faultproxy
