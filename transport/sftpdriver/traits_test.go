package sftpdriver

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestOneStream: AWS and Azure get a large file on a long line over one session, and its
// bytes in order; others do not.
func TestOneStream(t *testing.T) {
	for version, one := range map[string]bool{"SSH-2.0-AWS_SFTP_1.1": true, "SSH-2.0-AzureSSH_1.0.0": true, "SSH-2.0-OpenSSH_9.9": false, "SSH-2.0-SSHD": false} {
		t.Run(version, func(t *testing.T) {
			var mu sync.Mutex // guards what follows
			sessions := map[*fakeSession]bool{}
			last, sorted := uint64(0), true
			f := newFake(t, func(f *fake) {
				withLimits(f)
				f.config.ServerVersion = version
				f.onPacket = func(s *fakeSession, typ byte, _ uint32, body *reader) bool {
					mu.Lock()
					defer mu.Unlock()
					switch typ {
					case fxpInit:
						sessions[s] = true
					case fxpWrite, fxpRead:
						body.string()
						at := body.uint64()
						sorted = sorted && (at == 0 || at >= last)
						last = at
					}
					return false
				}
			})
			c := f.dial(nil)
			farAway(t, c, 2*longTrip)
			if c.Info().Caps.OneStream != one {
				t.Errorf("Caps.OneStream is %v", c.Info().Caps.OneStream)
			}
			data := randomBytes(longFile + 17)
			if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))}); err != nil || n != int64(len(data)) {
				t.Fatal(n, err)
			}
			var got bytes.Buffer
			if _, err := c.Retrieve(t.Context(), "f", 0, &got, &transport.IO{Size: int64(len(data))}); err != nil || !bytes.Equal(got.Bytes(), data) {
				t.Fatal(fmt.Sprint(got.Len(), " bytes, "), err)
			}
			mu.Lock()
			defer mu.Unlock()
			if one && (len(sessions) != 1 || !sorted) || !one && len(sessions) == 1 {
				t.Errorf("%d sessions, in order: %v", len(sessions), sorted)
			}
		})
	}
}
