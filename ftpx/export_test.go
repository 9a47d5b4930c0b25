package ftpx

import (
	"context"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/download"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// SetConnect replaces the drivers, for tests outside the package.
func SetConnect(o *Options, connect func(context.Context, *transport.Endpoint) (transport.Conn, error)) {
	o.Connect = connect
}

// OpenPart opens and locks a part as another process would.
func OpenPart(name string) (*os.File, error) { return download.OpenPart(name) }

// PartNames are the names that the part of a local file may have.
func PartNames(local string) []string { return download.PartNames(local) }

// OpenToRead opens a source.
func OpenToRead(name string) (*os.File, error) { return upload.OpenToRead(name) }

// ReservedChunks is how much memory the read-ahead of a client's files has.
func ReservedChunks(c Client) int64 { return c.(*client).fsMemory.Used() }

// HurryTaken shortens the wait for a name that does not show.
func HurryTaken() (restore func()) { return upload.HurryTaken() }

// SetMaxListing bounds what a listing may take.
func SetMaxListing(c Client, n int64) { c.(*client).cfg.Limits.Listing = n }

// DialDriver is what connects where Options.Connect is nil.
var DialDriver = dialDriver
