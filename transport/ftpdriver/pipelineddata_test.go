package ftpdriver

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestDataBeforeSTOR: pyftpdlib closes a data connection over which something comes before
// STOR, and waits for another that nobody opens. It is known by its greeting; another
// server that does so costs one stall, and is sent nothing before its answer from then on.
func TestDataBeforeSTOR(t *testing.T) {
	for greeting, stalls := range map[string]int{"220 pyftpdlib 1.5.7 ready.": 0, "220 ready": 1} {
		t.Run(greeting, func(t *testing.T) {
			stores := 0
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				f.greeting = greeting
				f.on["STOR"] = func(s *session, name string) string {
					conn := s.accept()
					if conn == nil {
						return "425 nobody came"
					}
					if stores++; stores <= stalls {
						_, _ = conn.Read(make([]byte, 1)) // it comes without a 150
						_ = conn.Close()
						s.say("150 go ahead")
						_, _ = s.r.ReadString('\n') // until the client gives up
						return ""
					}
					_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
					if n, _ := conn.Read(make([]byte, 1)); n > 0 {
						t.Error("something came before the 150")
					}
					_ = conn.SetReadDeadline(time.Time{})
					s.say("150 go ahead")
					data, _ := io.ReadAll(conn)
					s.mu.Lock()
					f.files[name] = data
					s.mu.Unlock()
					return "226 done"
				}
			})
			ep.Stall = 200 * time.Millisecond
			data := random(100)
			for i := range stalls + 1 {
				c := dial(t, ep)
				_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
				switch {
				case i < stalls:
					wantKind(t, err, transport.KindStalled, 0)
				case err != nil || !bytes.Equal(f.files["f"], data):
					t.Errorf("%q, %v", f.files["f"], err)
				}
			}
		})
	}
}
