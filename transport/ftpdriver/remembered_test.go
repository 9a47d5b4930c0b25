package ftpdriver

import (
	"bytes"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRefusedRangeIsRemembered: a server that does not know RANG is not asked again; one
// that refuses this range, because of the file, is asked for the next.
func TestRefusedRangeIsRemembered(t *testing.T) {
	for refusal, want := range map[string]int{"554 the file ends before": 2, "500 what?": 1, "501 no": 1} {
		for _, p := range protocols {
			connected := make(chan struct{}, 8) // one for each RANG and REST
			ep, f := startFake(t, p, func(f *fake) {
				f.feat = append(f.feat, "RANG STREAM")
				f.files["f"] = random(1000)
				fromRest(f)
				rest := f.on["REST"]
				f.on["RANG"] = func(*session, string) string { <-connected; return refusal }
				f.on["REST"] = func(s *session, n string) string { <-connected; return rest(s, n) }
			})
			tellsOfData(ep, connected)
			c := dial(t, ep)
			for range 2 {
				var got bytes.Buffer
				if n, err := c.Retrieve(t.Context(), "f", 100, &got, &transport.IO{Limit: 900}); err != nil || n != 900 || !bytes.Equal(got.Bytes(), f.file("f")[100:]) {
					t.Fatalf("%s %s: %d bytes, %v", p, refusal, n, err)
				}
			}
			if n := f.count("RANG"); n != want {
				t.Errorf("%s %s: asked %d times, want %d", p, refusal, n, want)
			}
		}
	}
}

// TestRefusedEPSVIsRemembered, also where it was sent with the end of a file: the next
// data connection is by PASV, and EPSV is not asked again. A refusal for now is for now.
func TestRefusedEPSVIsRemembered(t *testing.T) {
	for refusal, want := range map[string]int{"500 what?": 2, "502 not implemented": 2, "450 not now": 5} {
		asked := 0
		ep, f := startFake(t, transport.FTP, func(f *fake) {
			f.greeting = "220 (vsFTPd 3.0.3)"
			f.on["EPSV"] = func(s *session, arg string) string {
				if asked++; asked > 1 { // the one that goes with the end of the first file
					return refusal
				}
				return defaults["EPSV"](s, arg)
			}
		})
		c := dial(t, ep)
		for i := range 3 {
			put := &transport.Store{Path: "f", Size: 5, Src: strings.NewReader("small")}
			requests := []transport.Request{put}
			if i == 0 { // and another transfer follows
				requests = append(requests, &transport.Stat{Path: "f"}, &transport.Retrieve{Path: "none", Dst: io.Discard})
			}
			if err := c.Do(t.Context(), transport.NewBatch(requests...)); err != nil || put.Err != nil || put.Stored != 5 {
				t.Fatalf("%s: %+v, %v", refusal, put, err)
			}
		}
		if n := f.count("EPSV"); n != want || f.count("PASV") != 3 {
			t.Errorf("%s: EPSV was asked %d times, want %d, and PASV %d, want 3", refusal, n, want, f.count("PASV"))
		}
	}
}

// TestStallIsNotTakenForASerialServer: of a server that is silent nothing is learned; only
// one that answers a line and not those that came with it is sent one at a time from then on.
func TestStallIsNotTakenForASerialServer(t *testing.T) {
	var answers atomic.Bool
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["RNFR"] = func(*session, string) string {
			if !answers.Load() {
				return ""
			}
			return "350 to?"
		}
		f.on["RNTO"] = func(*session, string) string {
			if !answers.Load() {
				return ""
			}
			return "250 moved"
		}
	})
	stall := ep.Stall
	ep.Stall = 200 * time.Millisecond
	wantKind(t, dial(t, ep).Rename(t.Context(), "a", "b", true), transport.KindStalled, 0)
	answers.Store(true)
	ep.Stall = stall
	c := dial(t, ep)
	f.forget()
	if err := c.Rename(t.Context(), "a", "b", true); err != nil {
		t.Fatal(err)
	}
	if got := f.inTurns(); got != "RNFR RNTO" {
		t.Errorf("%q", got)
	}
}
