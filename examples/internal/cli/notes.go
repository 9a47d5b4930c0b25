package cli

import (
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Note tells of what is no failure, such as what was passed over; with -quiet it
// does not.
func Note(f Flags, env Env, format string, args ...any) {
	if !f.Quiet {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
}
