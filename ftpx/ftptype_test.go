package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// texts are such as buffers can cut between CR and LF.
func texts() map[string]string {
	return map[string]string{
		"empty": "", "one": "x", "line end": "\n", "no last line end": "a\nb", "lines": "a\nb\n\nc\n",
		"long": strings.Repeat("0123456789abcdef\n", 40_000), "at a buffer": strings.Repeat("x", 16<<10-1) + "\n" + strings.Repeat("y", 32<<10),
	}
}

// Text goes up and comes down with the line ends of each side.
func TestText(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.FTP, ftpx.FTPS} {
		for name, text := range texts() {
			t.Run(p.String()+"/"+name, func(t *testing.T) {
				var wire atomic.Int64
				trio := startTrio(t, func(o *testserver.TrioOptions) {
					o.FTP = func(o *testserver.FTPOptions) {
						o.OnCommand = func(verb, arg string) string {
							switch {
							case verb == "TYPE" && arg == "A":
								wire.Add(1)
							case verb == "REST":
								t.Error("there are no offsets in text")
							}
							return ""
						}
					}
				})
				opts := optionsFor(trio, p)
				opts.FTP.Type = ftpx.FTPTypeASCII
				c := connect(t, trio, opts)
				drop := &ftpx.PutOptions{Delivery: ftpx.DeliverDrop}
				for _, form := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
					res, err := c.Put(t.Context(), "f.txt", strings.NewReader(form), drop)
					if err != nil || res.Size != int64(len(form)) || !res.Verified.Acknowledged {
						t.Fatalf("%+v, %v", res, err)
					}
					var got bytes.Buffer
					if res, err = c.Get(t.Context(), "f.txt", &got, nil); err != nil || got.String() != text || res.Size != int64(len(text)) {
						t.Fatalf("%d bytes of %d: %+v, %v", got.Len(), len(text), res, err)
					}
					local := filepath.Join(t.TempDir(), "f.txt")
					if res, err = c.Download(t.Context(), "f.txt", local, nil); err != nil || !res.Verified.Acknowledged || res.Verified.Size {
						t.Fatalf("%+v, %v", res, err)
					}
					wantFile(t, local, []byte(text))
				}
				if st, err := c.Stat(t.Context(), "f.txt"); err != nil || st.Size < 0 {
					t.Errorf("TYPE I is not set again: %+v, %v", st, err)
				}
				if wire.Load() != 6 {
					t.Errorf("%d transfers of type A, want 6", wire.Load())
				}
			})
		}
	}
}

// What is cut off begins again, and what cannot be had is refused with the name of the field.
func TestTextRefusals(t *testing.T) {
	trio := startTrio(t)
	opts := optionsFor(trio, ftpx.SFTP, ftpx.FTP)
	opts.FTP.Type = ftpx.FTPTypeASCII
	if _, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Options: opts}); err == nil || !strings.Contains(err.Error(), "Options.Protocols") {
		t.Error(err)
	}
	opts = optionsFor(trio, ftpx.FTP)
	opts.FTP.Type = ftpx.FTPTypeASCII
	c := connect(t, trio, opts)
	for want, po := range map[string]*ftpx.PutOptions{
		"Delivery": nil, "field Delivery": {Delivery: ftpx.DeliverDirect}, "Append": {Append: true}, "Verify": {Delivery: ftpx.DeliverDrop, Verify: ftpx.VerifyFull},
	} {
		_, err := c.Put(t.Context(), "f", strings.NewReader("x"), po)
		if ftpx.KindOf(err) != transport.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if left, _ := os.ReadDir(trio.Root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A server that knows no text says so, and what is moved afterwards is not changed.
func TestTextUnknown(t *testing.T) {
	for _, verb := range []string{"TYPE A", "TYPE I"} {
		var logins atomic.Int64
		var seenTypeA atomic.Bool
		trio := startTrio(t, func(o *testserver.TrioOptions) {
			o.FTP = func(o *testserver.FTPOptions) {
				o.OnCommand = func(v, arg string) string {
					if v == "PASS" {
						logins.Add(1)
					}
					if v+" "+arg == verb && (arg == "A" || logins.Load() == 1 && v == "TYPE" && seenTypeA.Load()) {
						return "504 not here"
					}
					if v == "TYPE" && arg == "A" {
						seenTypeA.Store(true)
					}
					return ""
				}
			}
		})
		opts := optionsFor(trio, ftpx.FTP)
		opts.FTP.Type, opts.Limits.Conns = ftpx.FTPTypeASCII, 1
		c := connect(t, trio, opts)
		for i := range 2 {
			_, err := c.Put(t.Context(), fmt.Sprint("f", i), strings.NewReader("a\n"), &ftpx.PutOptions{Delivery: ftpx.DeliverDrop})
			if verb == "TYPE A" && (ftpx.KindOf(err) != transport.KindUnsupported || errors.Is(err, ftpx.ErrMismatch)) || verb == "TYPE I" && err != nil {
				t.Errorf("%s: %v", verb, err)
			}
		}
		if verb == "TYPE I" && logins.Load() != 2 {
			t.Errorf("%d logins: a session that does not go back to TYPE I is not used again", logins.Load())
		}
	}
}

// What was cut off comes again from its beginning, unless somebody has been given some of it.
func TestTextIsNotResumed(t *testing.T) {
	gets := 0
	opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true, FTP: ftpx.FTPOptions{Type: ftpx.FTPTypeASCII}}
	opts.Connect = func(_ context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		conn := newStub(ep.Protocol)
		conn.one = func(_ context.Context, r transport.Request) error {
			switch r := r.(type) {
			case *transport.Stat:
				r.Entry = ftpx.Entry{Name: r.Path, Size: 7}
			case *transport.Retrieve:
				if r.Offset != 0 || r.Limit != 0 || !r.ASCII {
					t.Errorf("%+v", r)
				}
				gets++
				text := "line\nline\n"
				if gets%2 == 1 {
					text = "li"
				}
				n, _ := r.Dst.Write([]byte(text))
				if r.Received = int64(n); gets%2 == 1 {
					return lostAt("RETR", false)
				}
			}
			return nil
		}
		return conn, nil
	}
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	local := filepath.Join(t.TempDir(), "f")
	if res, err := c.Download(t.Context(), "f", local, nil); err != nil || res.Resumes != 0 || res.Size != 10 {
		t.Errorf("%+v, %v", res, err)
	}
	wantFile(t, local, []byte("line\nline\n"))
	var got bytes.Buffer
	if res, err := c.Get(t.Context(), "f", &got, nil); err == nil || got.String() != "li" || res.Outcome != ftpx.NotDone {
		t.Errorf("%q: %+v, %v", got.String(), res, err)
	}
}
