package ftpdriver

import (
	"io"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestUnwantedFileIsCutOffWhenItHasBegun: Pure-FTPd never answers a RETR whose data
// connection was reset before its first byte, so that a file that is not wanted after all
// is cut off when it has begun to come.
func TestUnwantedFileIsCutOffWhenItHasBegun(t *testing.T) {
	for _, p := range []transport.Protocol{transport.FTP, transport.FTPS} {
		for name, data := range map[string][]byte{"small": []byte("small"), "large": random(5_000_000), "empty": nil} {
			t.Run(p.String()+"/"+name, func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.feat = []string{"MLST type*;size*;"}
					f.on["MLST"] = always("250-Begin\r\n type=file;size=5; f\r\n250 End.")
					f.on["RETR"] = func(s *session, _ string) string {
						s.say("150 Accepted data connection")
						conn := s.accept()
						if p.Secure() {
							_, _ = conn.Write(nil) // the handshake
						}
						// Whoever is going to reset it gets the time for that.
						_ = s.raw.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
						if _, err := s.raw.Read(make([]byte, 1)); err != nil && !isTimeout(err) {
							return "" // as Pure-FTPd
						}
						if _, err := conn.Write(data); err != nil {
							return "150 0.001 seconds (measured here), 86.44 Mbytes per second"
						}
						_ = conn.Close()
						return "226 done"
					}
				})
				c := dial(t, ep)
				get := &transport.Retrieve{Path: "f", Dst: io.Discard, Head: transport.Head{If: func() bool { return false }}}
				if err := c.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "f"}, get)); err != nil || get.Err != transport.ErrSkipped || get.Received != 0 {
					t.Errorf("%v, %v, %d bytes received", err, get.Err, get.Received)
				}
				if n := f.count("RETR"); n != 1 {
					t.Fatalf("%d RETR: nothing was cut off", n)
				}
				if !c.Usable() {
					t.Error("the session is lost")
				}
			})
		}
	}
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
