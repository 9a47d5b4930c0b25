package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A folder that refuses the way of delivery has the flag named that helps, whatever the kind
// of the refusal.
func TestLineNamesTheOtherDelivery(t *testing.T) {
	for what, flags := range map[string][]string{
		"rename": {"--delivery direct"}, "look": {"--delivery direct", "--delivery drop"}, "keep": {"--delivery drop"},
		"name": {"--partial-name '{name}.filepart'", "--delivery direct"},
	} {
		for _, kind := range []transport.Kind{transport.KindPermission, transport.KindUnsupported, transport.KindName} {
			refused := &ftpx.DeliveryError{What: what, Err: &transport.Error{Op: "RNFR", Path: "f", Kind: kind, Err: errors.New("550 no")}}
			line := Line(Env{Long: true}, "f", &ftpx.Error{Op: "upload", Remote: "f", Outcome: ftpx.NotDone, Err: refused})
			for _, flag := range flags {
				if !strings.Contains(line, flag) {
					t.Errorf("%s, %v: %q does not name %s", what, kind, line, flag)
				}
			}
		}
	}
}
