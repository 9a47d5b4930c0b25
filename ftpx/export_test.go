package ftpx

import (
	"context"
	"os"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/download"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// SetConnect replaces the drivers, for tests outside the package.
func SetConnect(o *Options, connect func(context.Context, *transport.Endpoint) (transport.Conn, error)) {
	o.Connect = connect
}

// OpenPart opens and locks a part as another process would.
func OpenPart(name string) (*os.File, error) { return download.OpenPart(name, nil) }

// PartNames are the names that the part of a local file may have.
func PartNames(local string) []string { return download.PartNames(local) }

// OpenToRead opens a source.
func OpenToRead(name string) (*os.File, error) { return upload.OpenToRead(name) }

// ReservedChunks is how much memory the read-ahead of a client's files has.
func ReservedChunks(c Client) int64 { return c.(*client).fsMemory.Used() }

// HurryTaken shortens a client's wait for a name that does not show, and returns the client.
func HurryTaken(c Client) Client {
	c.(*client).env.NameWait = 200 * time.Millisecond
	return c
}

// SetMaxListing bounds what a listing may take.
func SetMaxListing(c Client, n int64) { c.(*client).cfg.Limits.Listing = n }

// DialDriver is what connects where Options.Connect is nil.
var DialDriver = dialDriver
