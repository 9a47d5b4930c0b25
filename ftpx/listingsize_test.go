package ftpx_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestMaxListing: what the entries of a listing may take is an option, and the error that
// ends a longer one names it.
func TestMaxListing(t *testing.T) {
	eachEndless(t, 0, func(t *testing.T, c ftpx.Client, _ *endless) {
		ftpx.SetMaxListing(c, 16<<20)
		for _, err := range c.List(t.Context(), ".") {
			if !errors.Is(err, transport.ErrListingTooLong) || !strings.Contains(err.Error(), "16 MiB") || !strings.Contains(err.Error(), "Options.Limits.Listing") {
				t.Error(err)
			}
		}
	})
	_, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", Options: ftpx.Options{Limits: ftpx.Limits{Listing: -1}}})
	if err == nil || !strings.Contains(err.Error(), "Options.Limits.Listing is -1") {
		t.Error(err)
	}
}
