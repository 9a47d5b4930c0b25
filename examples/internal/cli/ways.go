package cli

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// viaEnv holds the hops where -via is not given, for those with a password.
const viaEnv = "FTPX_VIA"

// reach fills in which hosts there are, and how they are reached. answers is what a jump host
// that asks is answered with.
func (f *Flags) reach(opts *ftpx.Options, answers func(*tunnel.Hop) ssh.KeyboardInteractiveChallenge) error {
	for _, host := range f.Standbys {
		opts.Standbys = append(opts.Standbys, ftpx.Standby{Host: host})
	}
	var err error
	if opts.Limits.Rate, err = parseBytes("-rate", "bytes a second", f.Rate); err != nil {
		return err
	}
	if opts.Limits.Listing, err = parseBytes("-max-listing", "bytes", f.MaxListing); err != nil {
		return err
	}
	hops := []string(f.Via)
	for _, hop := range hops {
		if err := CheckArg(hop); err != nil {
			return fmt.Errorf("%w (for -via: into $%s)", err, viaEnv)
		}
	}
	if len(hops) == 0 {
		hops = strings.Fields(os.Getenv(viaEnv))
	}
	if len(hops) == 0 {
		return nil
	}
	var parsed []tunnel.Hop
	for i, text := range hops {
		h, err := tunnel.ParseHop(text)
		if err != nil {
			return fmt.Errorf("%w: hop %d of -via: %w", ErrUsage, i+1, err)
		}
		if h.Scheme == tunnel.SSH {
			// The same keys and known hosts as for the server; its pinned key is
			// the server's alone.
			h.SSH = opts.SSH
			h.SSH.HostKeyFingerprints = nil
			h.SSH.Agent = "auto"
			h.SSH.KeyboardInteractive = answers(&h)
		}
		parsed = append(parsed, h)
	}
	if f.way, err = tunnel.New(parsed...); err != nil {
		return fmt.Errorf("%w: -via: %w", ErrUsage, err)
	}
	opts.Dial = f.way.Dial
	return nil
}

// Close ends what servers are reached through.
func (f *Flags) Close() {
	for _, end := range f.end {
		_ = end()
	}
	f.end = nil
	if f.way != nil {
		_ = f.way.Close()
	}
}

// parseBytes reads a number of bytes, as 500000, 500k or 20M (powers of 1024); 0 for "".
func parseBytes(name, what, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	digits, unit := text, int64(1)
	for suffix, n := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30} {
		if rest, ok := strings.CutSuffix(strings.ToLower(text), suffix); ok {
			digits, unit = rest, n
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%w: %s %q: write %s, as 500000, 500k or 20M", ErrUsage, name, transport.Printable(text), what)
	}
	return n * unit, nil
}
