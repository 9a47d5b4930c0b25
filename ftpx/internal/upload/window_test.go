package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	window   = transport.Caps{WriteWindow: 16 << 20, Truncate: true, ReplaceOnRename: true}
	nearTime = time.Millisecond
	farTime  = 50 * time.Millisecond
)

// patterned is content of which no part of 64 KiB is like another.
func patterned(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16)*31 + byte(i)
	}
	return b
}

// What may be under way is a share of the file, and a small file has one bound.
func TestWindows(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct{ size, near, far int64 }{
		{0, smallWindow, smallWindow},
		{splitSize - 1, smallWindow, smallWindow},
		{splitSize, nearLeast, farLeast},
		{64 * mib, 64 * mib / 160, 8 * mib},
		{96 * mib, 96 * mib / 160, 12 * mib},
		{1 << 40, nearMost, farMost},
	} {
		if near, far := windowOf(c.size, false), windowOf(c.size, true); near != c.near || far != c.far {
			t.Errorf("%d: %d and %d", c.size, near, far)
		}
	}
	for _, c := range []struct {
		size   int64
		window int64
		trip   time.Duration
		far    bool
	}{
		{64 * mib, 16 * mib, time.Millisecond, false},
		{64 * mib, 16 * mib, 5 * time.Millisecond, true},
		{1 << 30, 16 * mib, 5 * time.Millisecond, false},
		{1 << 30, 16 * mib, nearTrip, true},
		{splitSize - 1, 16 * mib, time.Second, false},
		{1 << 30, 0, time.Second, false}, // FTP
	} {
		if got := isFar(transport.Info{RoundTrip: c.trip, Caps: transport.Caps{WriteWindow: c.window}}, c.size); got != c.far {
			t.Errorf("%+v", c)
		}
	}
}

// A partial is found under the name of either window. What is read back of it is the
// window that its name tells, whoever has found it; the one that is not resumed goes.
func TestPartialsOfTwoWindows(t *testing.T) {
	const mib, size = 1 << 20, 16 << 20
	data := patterned(size)
	for name, c := range map[string]struct {
		proto     transport.Protocol
		caps      transport.Caps
		trip      time.Duration
		near, far int   // what is there
		at, read  int64 // where it is resumed, and from where it is read back
		window    int64 // of what is sent
	}{
		"nothing, near":          {transport.SFTP, window, nearTime, 0, 0, 0, 0, nearLeast},
		"nothing, far":           {transport.SFTP, window, farTime, 0, 0, 0, 0, farLeast},
		"nothing, FTP far away":  {transport.FTP, ftp, farTime, 0, 0, 0, 0, nearLeast},
		"near, found near":       {transport.SFTP, window, nearTime, 12 * mib, 0, 12 * mib, 12*mib - nearLeast - tailLength, nearLeast},
		"near, found far away":   {transport.SFTP, window, farTime, 12 * mib, 0, 12 * mib, 12*mib - nearLeast - tailLength, nearLeast},
		"far, found near":        {transport.SFTP, window, nearTime, 0, 12 * mib, 12 * mib, 12*mib - farLeast - tailLength, farLeast},
		"far, found over FTP":    {transport.FTP, ftp, nearTime, 0, 12 * mib, 12 * mib, 12*mib - farLeast - tailLength, farLeast},
		"of FTP, found over FTP": {transport.FTP, ftp, farTime, 12 * mib, 0, 12 * mib, 12*mib - nearLeast - tailLength, nearLeast},
		"both, far has more":     {transport.SFTP, window, nearTime, 10 * mib, 12 * mib, 12 * mib, 12*mib - farLeast - tailLength, farLeast},
		"both, near has more":    {transport.SFTP, window, farTime, 12 * mib, 10 * mib, 12 * mib, 12*mib - nearLeast - tailLength, nearLeast},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpload(t, data, nil)
				conn := &disk{proto: c.proto, caps: c.caps, rtt: c.trip, files: map[string][]byte{}}
				if c.far > 0 && c.proto == transport.FTP {
					conn.also = transport.SFTP // else nobody would have written it
				}
				if c.near > 0 {
					conn.files[partialName("dest", "id", 0, false)] = bytes.Clone(data[:c.near])
				}
				if c.far > 0 {
					conn.files[partialName("dest", "id", 0, true)] = bytes.Clone(data[:c.far])
				}
				var read, at, sent int64
				conn.before = func(r transport.Request) error {
					switch r := r.(type) {
					case *transport.Retrieve:
						if at == 0 { // what is read back at the end is another matter
							read = r.Offset
						}
					case *transport.Store:
						at, sent = r.Offset, r.Window
						if r.Path != partialName("dest", "id", 0, r.Window == farLeast) {
							t.Errorf("%s is no name for a window of %d", r.Path, r.Window)
						}
					}
					return nil
				}
				on(t, conn, func(ctx context.Context, l *session.Lease) {
					if err := u.attempt(ctx, l); err != nil {
						t.Error(err)
					}
				})
				if at != c.at || read != c.read || sent != c.window || u.res.Kept != c.at {
					t.Errorf("resumed at %d, read back from %d, %d under way, %d kept; want %+v", at, read, sent, u.res.Kept, c)
				}
				if len(conn.files) != 1 || !bytes.Equal(conn.files["dest"], data) {
					t.Errorf("%d files", len(conn.files))
				}
			})
		})
	}
}

// A round trip of a connection that is new includes the start of the server's processes: a
// server that seems far is asked, once.
func TestFarServersAreAsked(t *testing.T) {
	data := patterned(splitSize)
	for name, c := range map[string]struct {
		trips  []time.Duration // as they are known after each look
		asked  int
		window int64
	}{
		"near":        {[]time.Duration{nearTime}, 0, nearLeast},
		"seems far":   {[]time.Duration{nearTrip - 1, nearTrip - 1, nearTime}, 2, nearLeast},
		"is far":      {[]time.Duration{nearTrip - 1}, tripAsks, farLeast},
		"plainly far": {[]time.Duration{nearTrip}, 0, farLeast},
		"not for FTP": {nil, 0, nearLeast},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := &disk{proto: transport.SFTP, caps: window, files: map[string][]byte{}}
				if c.trips == nil {
					conn.proto, conn.caps, c.trips = transport.FTP, ftp, []time.Duration{farTime}
				}
				conn.rtt = c.trips[0]
				asked, stored, sent := 0, false, int64(0)
				conn.before = func(r transport.Request) error {
					switch r := r.(type) {
					case *transport.Stat:
						if len(conn.batches[len(conn.batches)-1]) == 1 && !stored {
							asked++
							conn.rtt = c.trips[min(asked, len(c.trips)-1)]
						}
					case *transport.Store:
						stored, sent = true, r.Window
					}
					return nil
				}
				on(t, conn, func(ctx context.Context, l *session.Lease) {
					for i, want := range []int{c.asked, c.asked} {
						stored = false
						u := newUpload(t, data, nil)
						if err := u.attempt(ctx, l); err != nil {
							t.Error(err)
						}
						if asked != want || sent != c.window {
							t.Errorf("upload %d: asked %d times, %d under way; want %+v", i, asked, sent, c)
						}
					}
				})
			})
		})
	}
}

// What an older call has left and is not of the source is removed, not emptied: a lost
// session may have it open. Where it cannot be removed, another name takes its place.
func TestStalePartialIsRemoved(t *testing.T) {
	const size = 16 << 20
	data := patterned(size)
	for name, refuse := range map[string]bool{"removed": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpload(t, data, nil)
				first := u.part.name
				bad := bytes.Clone(data[:12<<20])
				bad[len(bad)-100] ^= 1
				conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{first: bad}}
				var acts []string
				conn.before = func(r transport.Request) error {
					switch r := r.(type) {
					case *transport.Remove:
						acts = append(acts, "remove "+r.Path)
						if refuse && len(acts) == 1 {
							return &transport.Error{Op: "disk", Kind: transport.KindPermission, Err: context.Canceled}
						}
					case *transport.Store:
						acts = append(acts, "store "+r.Path)
						if r.Offset != 0 {
							t.Errorf("resumed at %d", r.Offset)
						}
					}
					return nil
				}
				on(t, conn, func(ctx context.Context, l *session.Lease) {
					if err := u.attempt(ctx, l); err != nil {
						t.Error(err)
					}
				})
				want := []string{"remove " + first, "store " + first}
				if refuse {
					want = []string{"remove " + first, "store " + partialName("dest", "id", 1, false), "remove " + first}
				}
				if len(acts) != len(want) {
					t.Fatalf("%q, want %q", acts, want)
				}
				for i := range want {
					if acts[i] != want[i] {
						t.Errorf("%q, want %q", acts, want)
					}
				}
				if len(conn.files) != 1 || !bytes.Equal(conn.files["dest"], data) || u.res.Kept != 0 {
					t.Errorf("%d files, %d kept", len(conn.files), u.res.Kept)
				}
			})
		})
	}
}

// A digest that differs may mean holes among what was under way: what lies before the
// first is kept, if its digest is that of the source.
func TestDigestOfAPartialWithAHole(t *testing.T) {
	const size, have, hole = 16 << 20, 12 << 20, 12<<20 - 300<<10
	data := patterned(size)
	caps := window
	caps.Hashes, caps.HashRanges = []string{"sha256"}, true
	for name, c := range map[string]struct {
		bad  []int
		kept int64
	}{
		"none":                 {nil, have},
		"a hole":               {[]int{hole}, hole},
		"wrong at its front":   {[]int{5}, 0},
		"wrong at both places": {[]int{5, hole}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpload(t, data, nil)
				part := bytes.Clone(data[:have])
				for _, i := range c.bad {
					part[i] ^= 1
				}
				conn := &disk{proto: transport.SFTP, caps: caps, files: map[string][]byte{u.part.name: part}}
				conn.before = func(r transport.Request) error {
					switch r := r.(type) {
					case *transport.Hash:
						b := conn.files[r.Path][r.Offset:]
						if r.Size >= 0 {
							b = b[:r.Size]
						}
						sum := sha256.Sum256(b)
						r.Sum = sum[:]
						return errAnswered
					case *transport.Truncate:
						conn.files[r.Path] = conn.files[r.Path][:r.Size]
						return errAnswered
					}
					return nil
				}
				on(t, conn, func(ctx context.Context, l *session.Lease) {
					if err := u.attempt(ctx, l); err != nil {
						t.Error(err)
					}
				})
				if u.res.Kept != c.kept || len(conn.files) != 1 || !bytes.Equal(conn.files["dest"], data) {
					t.Errorf("%d kept, want %d; %d files", u.res.Kept, c.kept, len(conn.files))
				}
			})
		})
	}
}
