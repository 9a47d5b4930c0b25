// Package session gives each operation of a client a connection. It chooses the host and the
// protocol, keeps connections between operations, stays within the limits that the server
// turns out to have, avoids a host that fails, and retries.
//
// Read session.go first: Run is the whole stack of an operation. Then read host.go, pool.go,
// and race.go for the race of protocols. This package knows nothing about files.
package session
