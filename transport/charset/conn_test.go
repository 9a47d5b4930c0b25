package charset

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// recorder is a server that notes the paths it is given.
type recorder struct {
	transport.Conn
	paths []string
	err   error
}

func (r *recorder) note(paths ...string) error { r.paths = append(r.paths, paths...); return r.err }

func (r *recorder) Info() transport.Info {
	return transport.Info{Protocol: transport.FTP, Addr: "h:21"}
}

func (r *recorder) Stat(_ context.Context, p string) (transport.Entry, error) {
	return transport.Entry{Name: p, Type: transport.TypeLink, Target: "\x83\x5c"}, r.note(p)
}

func (r *recorder) List(_ context.Context, p string, yield func(transport.Entry) bool) error {
	for _, e := range []transport.Entry{{Name: "\x83\x5c", Target: "\x94\x5c"}, {Name: "\xfd"}, {Name: "not asked for"}} {
		if !yield(e) {
			break
		}
	}
	return r.note(p)
}

func (r *recorder) Store(_ context.Context, p string, _ int64, _ io.Reader, opt *transport.IO) (int64, error) {
	if f := opt.Finishing(); f != nil {
		f.Entry = &transport.Entry{Name: p, Size: 3}
	}
	return 3, r.note(p)
}

func (r *recorder) Retrieve(_ context.Context, p string, _ int64, _ io.Writer, _ *transport.IO) (int64, error) {
	return 3, r.note(p)
}

func (r *recorder) Rename(_ context.Context, from, to string, _ bool) error { return r.note(from, to) }
func (r *recorder) Remove(_ context.Context, p string) error                { return r.note(p) }
func (r *recorder) Mkdir(_ context.Context, p string) error                 { return r.note(p) }
func (r *recorder) Rmdir(_ context.Context, p string) error                 { return r.note(p) }
func (r *recorder) Chtimes(_ context.Context, p string, _ time.Time) error  { return r.note(p) }
func (r *recorder) Truncate(_ context.Context, p string, _ int64) error     { return r.note(p) }

func (r *recorder) Hash(_ context.Context, p, _ string, _, _ int64) ([]byte, error) {
	return []byte{1}, r.note(p)
}

// calls are all methods that have a path.
func calls(ctx context.Context, c *Conn, p string) map[string]func() error {
	return map[string]func() error{
		"Stat":     func() error { _, err := c.Stat(ctx, p); return err },
		"List":     func() error { return c.List(ctx, p, func(transport.Entry) bool { return true }) },
		"Store":    func() error { _, err := c.Store(ctx, p, 0, nil, nil); return err },
		"Retrieve": func() error { _, err := c.Retrieve(ctx, p, 0, nil, nil); return err },
		"from":     func() error { return c.Rename(ctx, p, p, true) },
		"to":       func() error { return c.Rename(ctx, "x", p, true) },
		"Remove":   func() error { return c.Remove(ctx, p) },
		"Mkdir":    func() error { return c.Mkdir(ctx, p) },
		"Rmdir":    func() error { return c.Rmdir(ctx, p) },
		"Chtimes":  func() error { return c.Chtimes(ctx, p, time.Time{}) },
		"Truncate": func() error { return c.Truncate(ctx, p, 0) },
		"Hash":     func() error { _, err := c.Hash(ctx, p, "md5", 0, 1); return err },
	}
}

func TestEveryMethodEncodes(t *testing.T) {
	r := &recorder{}
	for name, call := range calls(t.Context(), New(r, japanese.ShiftJIS), "d/ソ") {
		r.paths, r.err = nil, nil
		if err := call(); err != nil || len(r.paths) == 0 || r.paths[len(r.paths)-1] != "d/\x83\x5c" {
			t.Errorf("%s: %q, %v", name, r.paths, err)
		}
		// What is wrong is told of the path that was given, in words that can be read.
		r.err = &transport.Error{Op: "X", Path: "d/\x83\x5c", Kind: transport.KindNotExist, Code: 550, Err: &textproto.Error{Code: 550, Msg: "\x83\x5c: \x96\xb3\x82\xa2"}}
		err := call()
		var te *transport.Error
		var reply *textproto.Error
		if !errors.As(err, &te) || te.Path != "d/ソ" || te.Code != 550 || !errors.As(err, &reply) || !strings.Contains(err.Error(), "ソ: 無い") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, call := range calls(t.Context(), New(r, charmap.Windows1252), "d/ソ") {
		r.paths = nil
		err := call()
		var te *transport.Error
		if !errors.As(err, &te) || te.Kind != transport.KindName || te.Path != "d/ソ" || te.Addr != "h:21" || len(r.paths) > 0 {
			t.Errorf("%s: %v, sent %q", name, err, r.paths)
		}
	}
}

func TestWhatComesBack(t *testing.T) {
	c := New(&recorder{}, japanese.ShiftJIS)
	e, err := c.Stat(t.Context(), "d/能")
	if err != nil || e.Name != "能" || e.Target != "ソ" {
		t.Errorf("%+v, %v", e, err)
	}
	var got []string
	if err := c.List(t.Context(), ".", func(e transport.Entry) bool {
		got = append(got, e.Name, e.Target)
		return len(got) < 4
	}); err != nil || strings.Join(got, ",") != "ソ,能,\xfd," {
		t.Errorf("%q, %v", got, err)
	}
	f := &transport.Finish{}
	if n, err := c.Store(t.Context(), "d/能", 0, nil, &transport.IO{Finish: f}); err != nil || n != 3 || f.Entry.Name != "能" {
		t.Errorf("%d, %v, %+v", n, err, f.Entry)
	}
	if n, err := c.Retrieve(t.Context(), "能", 0, nil, nil); n != 3 || err != nil {
		t.Error(n, err)
	}
	if sum, err := c.Hash(t.Context(), "能", "md5", 0, 1); len(sum) != 1 || err != nil {
		t.Error(sum, err)
	}
	if read := Text(japanese.ShiftJIS); read("\x83\x5c ok") != "ソ ok" || read("ä") != "ä" {
		t.Errorf("%q", read("\x83\x5c ok"))
	}
}
