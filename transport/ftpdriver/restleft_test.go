package ftpdriver

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRestThatStays: a server that keeps the offset of a REST whose transfer it has refused, as
// ftp-srv does, begins the next one there.
func TestRestThatStays(t *testing.T) {
	for i, refusal := range []string{"550 No such file", "450 Try again", "550 No such file", "450 Try again"} {
		serial := i > 1
		for _, then := range []string{"store", "retrieve"} {
			t.Run(then+" "+refusal[:3]+" "+strconv.FormatBool(serial), func(t *testing.T) {
				ep, f := startFake(t, transport.FTP, func(f *fake) {
					allround(f)
					if serial {
						f.greeting = "220 MikroTik"
					}
					f.on["REST"] = func(s *session, arg string) string {
						s.rest, _ = strconv.Atoi(arg)
						return "350 from there"
					}
					retr, stor := defaults["RETR"], defaults["STOR"]
					f.on["RETR"] = func(s *session, name string) string {
						if strings.HasSuffix(name, "none") {
							return refusal
						}
						return retr(s, name)
					}
					f.on["STOR"] = stor
				})
				want := random(50_000)
				f.files["/home/f"], f.files["f"] = want, want
				c := dial(t, ep)
				var got bytes.Buffer
				if _, err := c.Retrieve(t.Context(), "none", 1000, &got, nil); err == nil || !c.Usable() {
					t.Fatalf("%v", err)
				}
				if then == "store" {
					_, err := c.Store(t.Context(), "new", 0, bytes.NewReader(want), &transport.IO{Size: int64(len(want))})
					stored := f.file("new")
					if stored == nil {
						stored = f.file("/home/new")
					}
					if err != nil || !bytes.Equal(stored, want) {
						t.Errorf("%d bytes are there: %v", len(stored), err)
					}
				} else if _, err := c.Retrieve(t.Context(), "f", 0, &got, nil); err != nil || !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%d bytes came: %v", got.Len(), err)
				}
				if lines := strings.Join(f.got(), ","); !strings.Contains(lines, "REST 0") {
					t.Error(lines)
				}
			})
		}
	}
}

// TestNoRestWhereItIsForgotten: goftp's server keeps an offset for one transfer, however that
// ends, and leaves the rest of a longer file where a STOR comes behind REST 0.
func TestNoRestWhereItIsForgotten(t *testing.T) {
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		allround(f)
		f.greeting = "220 Go FTP Server"
		f.on["REST"] = func(*session, string) string { return "350 from there" }
		f.on["RETR"] = func(*session, string) string { return "551 no" }
	})
	c := dial(t, ep)
	var got bytes.Buffer
	if _, err := c.Retrieve(t.Context(), "none", 1000, &got, nil); err == nil || !c.Usable() {
		t.Fatalf("%v", err)
	}
	if _, err := c.Store(t.Context(), "new", 0, strings.NewReader("x"), &transport.IO{Size: 1}); err != nil {
		t.Error(err)
	}
	if lines := strings.Join(f.got(), ","); strings.Contains(lines, "REST 0") {
		t.Error(lines)
	}
}
