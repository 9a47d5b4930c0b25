// Package session answers one question for every operation of a client: get me a
// connection. It chooses the host and the protocol, keeps connections between
// operations, lives within what a server is found to take, spares a host that fails, and
// tries again.
//
// Read session.go first: Run is the one visible stack. Then host.go, pool.go, and
// choose.go for the race of protocols. Nothing here knows what a file is.
package session
