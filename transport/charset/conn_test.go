package charset

import (
	"context"
	"errors"
	"net/textproto"
	"path"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// recorder is a server that notes the paths that it is given, and how many batches they
// came in.
type recorder struct {
	transport.Conn
	paths   []string
	batches int
	err     error
}

func (r *recorder) Info() transport.Info {
	return transport.Info{Protocol: transport.FTP, Addr: "h:21"}
}

func (r *recorder) Usable() bool { return true }

func (r *recorder) Do(ctx context.Context, b *transport.Batch) error {
	r.batches++
	return transport.InTurn(ctx, b, r.Usable, func(_ context.Context, q transport.Request) error {
		for _, p := range q.Paths() {
			r.paths = append(r.paths, *p)
		}
		switch q := q.(type) {
		case *transport.Stat:
			q.Entry = transport.Entry{Name: path.Base(q.Path), Type: transport.TypeLink, Target: "\x83\x5c", Size: 3}
		case *transport.List:
			for _, e := range []transport.Entry{{Name: "\x83\x5c", Target: "\x94\x5c"}, {Name: "\xfd"}, {Name: "not asked for"}} {
				if !q.Yield(e) {
					break
				}
			}
		case *transport.Store:
			q.Stored = 3
		case *transport.Retrieve:
			q.Received = 3
		case *transport.Hash:
			q.Sum = []byte{1}
		case *transport.Link:
			if !q.Make {
				q.Target = "\x94\x5c"
			}
		case *transport.Raw:
			q.Code, q.Text = 200, "\x83\x5c ok"
		}
		return r.err
	})
}

func calling(r *recorder, set encoding.Encoding) transport.Calls {
	return transport.Calls{Conn: New(r, set)}
}

// calls are all requests that have a path.
func calls(ctx context.Context, c transport.Calls, p string) map[string]func() error {
	one := func(q transport.Request) func() error {
		return func() error {
			if err := c.Do(ctx, transport.NewBatch(q)); err != nil {
				return err
			}
			return q.Common().Err
		}
	}
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
		"SetMode":  one(&transport.SetMode{Path: p}),
		"Truncate": func() error { return c.Truncate(ctx, p, 0) },
		"Hash":     func() error { _, err := c.Hash(ctx, p, "md5", 0, 1); return err },
		"link":     one(&transport.Link{Path: p, Make: true, Target: p}),
		"target":   one(&transport.Link{Path: "x", Make: true, Target: p}),
		"Space":    one(&transport.Space{Path: p}),
		"Raw":      one(&transport.Raw{Line: p}),
	}
}

func TestEveryRequestEncodes(t *testing.T) {
	r := &recorder{}
	for name, call := range calls(t.Context(), calling(r, japanese.ShiftJIS), "d/ソ") {
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
	for name, call := range calls(t.Context(), calling(r, charmap.Windows1252), "d/ソ") {
		r.paths = nil
		err := call()
		var te *transport.Error
		if !errors.As(err, &te) || te.Kind != transport.KindName || te.Path != "d/ソ" || te.Addr != "h:21" || len(r.paths) > 0 {
			t.Errorf("%s: %v, sent %q", name, err, r.paths)
		}
	}
}

func TestWhatComesBack(t *testing.T) {
	c := calling(&recorder{}, japanese.ShiftJIS)
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
	if n, err := c.Store(t.Context(), "d/能", 0, nil, nil); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	link, raw := &transport.Link{Path: "能"}, &transport.Raw{Line: "SITE 能"}
	if err := c.Do(t.Context(), transport.NewBatch(link, raw)); err != nil || link.Path != "能" || link.Target != "能" || raw.Line != "SITE 能" || raw.Text != "ソ ok" {
		t.Errorf("%+v, %+v, %v", link, raw, err)
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

// TestBatchStaysOne: what is behind a character set sees the whole batch, with
// conditions that see what the caller gave, and the caller gets back what it gave.
func TestBatchStaysOne(t *testing.T) {
	r := &recorder{}
	c := New(r, japanese.ShiftJIS)
	dest, part := &transport.Stat{Path: "能"}, &transport.Stat{Path: "d/ソ"}
	put, stat := &transport.Store{Path: "d/ソ"}, &transport.Stat{Path: "d/ソ"}
	move := &transport.Rename{From: "d/ソ", To: "能", Replace: true}
	put.If = func() bool {
		return dest.OK() && dest.Path == "能" && part.Path == "d/ソ" && part.Entry.Name == "ソ" && part.Entry.Target == "ソ"
	}
	move.If = func() bool { return stat.OK() && stat.Entry.Size == put.Stored && put.Path == "d/ソ" }
	after := &transport.Remove{Path: "x"}
	after.If = func() bool { return false }
	put.If, move.If, after.If = once(t, put.If), once(t, move.If), once(t, after.If)
	if err := c.Do(t.Context(), transport.NewBatch(dest, part, put, stat, move, after, &transport.Ping{})); err != nil || r.batches != 1 {
		t.Fatalf("%v, in %d batches", err, r.batches)
	}
	want := "\x94\x5c d/\x83\x5c d/\x83\x5c d/\x83\x5c d/\x83\x5c \x94\x5c"
	if got := strings.Join(r.paths, " "); got != want {
		t.Errorf("%q", got)
	}
	if !put.OK() || !move.OK() || after.Err != transport.ErrSkipped || move.To != "能" || stat.Path != "d/ソ" || stat.Entry.Name != "ソ" {
		t.Errorf("%+v, %+v, %v", move, stat, after.Err)
	}
}

// once is a condition that is asked once.
func once(t *testing.T, f func() bool) func() bool {
	asked := false
	return func() bool {
		if asked {
			t.Error("asked twice")
		}
		asked = true
		return f()
	}
}

// TestNameOfABatchRefused: a name that the character set does not have costs the others
// of its batch nothing but their being together.
func TestNameOfABatchRefused(t *testing.T) {
	r := &recorder{}
	c := New(r, japanese.ShiftJIS)
	first, odd, last := &transport.Stat{Path: "ソ"}, &transport.Mkdir{Path: "😀"}, &transport.Mkdir{Path: "能"}
	last.If = once(t, func() bool { return first.OK() && odd.Err != nil })
	if err := c.Do(t.Context(), transport.NewBatch(first, odd, last)); err != nil {
		t.Fatal(err)
	}
	if !first.OK() || !last.OK() || transport.KindOf(odd.Err) != transport.KindName || odd.Path != "😀" || last.Path != "能" {
		t.Errorf("%v, %v, %v", first.Err, odd.Err, last.Err)
	}
	if got := strings.Join(r.paths, " "); got != "\x83\x5c \x94\x5c" {
		t.Errorf("%q", got)
	}
}
