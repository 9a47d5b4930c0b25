package ftpx

import (
	"context"
	"os"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// SetConnect replaces the drivers, for tests outside the package.
func SetConnect(o *Options, connect func(context.Context, *transport.Endpoint) (transport.Conn, error)) {
	o.Connect = connect
}

// OpenPart opens and locks a part as another process would.
func OpenPart(name string) (*os.File, error) { return openPart(name) }

// PartNames are the names that the part of a local file may have.
func PartNames(local string) []string { return partNames(local) }

// OpenToRead opens a source.
func OpenToRead(name string) (*os.File, error) { return openToRead(name) }

// ReservedChunks is how much memory the read-ahead of a client's files has.
func ReservedChunks(c Client) int64 { return c.(*client).chunks.used.Load() }

// SetMaxListing bounds what a listing may take.
func SetMaxListing(c Client, n int64) { c.(*client).maxListing = n }

// Crowded reports whether work waits for a connection.
func Crowded(c Client) bool { return c.(*client).hosts.list[0].pool.crowded() }

// Waiting is how much work waits for a connection.
func Waiting(c Client) int {
	p := c.(*client).hosts.list[0].pool
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	return p.gate.waiting.Len()
}

// HurryTaken shortens the wait for a name that does not show.
func HurryTaken() (restore func()) {
	was := takenLast
	takenLast = 4 * takenFirst
	return func() { takenLast = was }
}
