package ftpdriver

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestTypeRefused: that a server knows no TYPE A is one thing, that it ends the session or is
// busy another, which is worth a second try.
func TestTypeRefused(t *testing.T) {
	for answer, kind := range map[string]transport.Kind{
		"504 only I":            transport.KindUnsupported,
		"501 what type?":        transport.KindUnsupported,
		"421 Timeout.":          transport.KindLost,
		"450 try again":         transport.KindTemporary,
		"331 whose type is it?": transport.KindProtocol,
	} {
		t.Run(answer[:3], func(t *testing.T) {
			ep, _ := startFake(t, transport.FTP, func(f *fake) {
				f.files["f"] = []byte("1")
				f.on["TYPE"] = func(_ *session, arg string) string {
					if arg == "A" {
						return answer
					}
					return "200 ok"
				}
			})
			c, err := Dial(t.Context(), ep)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for _, q := range []transport.Request{
				&transport.Retrieve{Path: "f", Dst: io.Discard, ASCII: true},
				&transport.Store{Path: "f", Src: strings.NewReader("x"), ASCII: true},
			} {
				if !c.Usable() {
					break
				}
				_ = c.Do(t.Context(), transport.NewBatch(q))
				if got := transport.KindOf(q.Common().Err); got != kind {
					t.Errorf("%T: %v (%v), want %v", q, q.Common().Err, got, kind)
				}
			}
		})
	}
}

// takes accepts so many bytes of each write, and says nothing of the rest.
type takes int

func (n takes) Write(p []byte) (int, error) { return min(int(n), len(p)), nil }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestTextEnds: what the destination did not take is an error, and that it wants no more is none.
func TestTextEnds(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) { f.files["f"] = []byte("abc\r\ndef\r") })
	c, err := Dial(t.Context(), ep)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got bytes.Buffer
	full := &transport.Retrieve{Path: "f", ASCII: true, Dst: writerFunc(func(p []byte) (int, error) {
		n, _ := got.Write(p)
		if string(p) == "\r" {
			return n, transport.ErrEnough
		}
		return n, nil
	})}
	short := &transport.Retrieve{Path: "f", ASCII: true, Dst: takes(2)}
	_ = c.Do(t.Context(), transport.NewBatch(full, short))
	if full.Err != nil || got.String() != "abc\ndef\r" {
		t.Errorf("%q, %v", &got, full.Err)
	}
	if transport.KindOf(short.Err) != transport.KindLocal || short.Received != 2 {
		t.Errorf("%d bytes taken: %v", short.Received, short.Err)
	}
}

// TestBackToBinary: a session that cannot go back to TYPE I carries nothing more, since the
// next file would be changed on its way. What has been moved is there.
func TestBackToBinary(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.files["f"] = []byte("abc\r\ndef")
		text := false
		f.on["TYPE"] = func(_ *session, arg string) string {
			if arg == "I" && text {
				return "504 not any more"
			}
			text = arg == "A"
			return "200 ok"
		}
	})
	c, err := Dial(t.Context(), ep)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got bytes.Buffer
	get := &transport.Retrieve{Path: "f", ASCII: true, Dst: &got}
	_ = c.Do(t.Context(), transport.NewBatch(get))
	if get.Err != nil || got.String() != "abc\ndef" {
		t.Errorf("%q, %v", &got, get.Err)
	}
	if c.Usable() {
		t.Error("the session is still in TYPE A, and is used")
	}
}

// TestLineEndsApart: a CR and its LF may come in two reads, or in two writes.
func TestLineEndsApart(t *testing.T) {
	const text, network = "a\r\nb\nc\r\rd\n", "a\r\nb\r\nc\r\rd\r\n"
	sent, err := io.ReadAll(&toNetwork{src: iotest.OneByteReader(strings.NewReader(text)), read: func(int64) {}})
	if err != nil || string(sent) != network {
		t.Errorf("sent %q, %v; want %q", sent, err, network)
	}
	var got bytes.Buffer
	w := &fromNetwork{dst: &got}
	for _, b := range []byte(network + "\r") {
		if _, err := w.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.flush(); err != nil || got.String() != "a\nb\nc\r\rd\n\r" {
		t.Errorf("got %q, %v", &got, err)
	}
}
