package ftpx_test

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestSameAnswerIsFinal: what a server says three times, word for word, is not asked again;
// what it says twice in other words is.
func TestSameAnswerIsFinal(t *testing.T) {
	for _, tt := range []struct {
		text     func(n int) string
		attempts int
		ok       bool
	}{
		{func(int) string { return "no, and never" }, 3, false},
		{func(n int) string { return strings.Repeat("later ", n) }, 5, true},
	} {
		inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			n := 0
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				if op.Step != memconn.StepRequest || op.Request != "STOR" && op.Request != "SSH_FXP_OPEN" {
					return memconn.Fault{}
				}
				if n++; n == 5 && tt.ok {
					return memconn.Fault{}
				}
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindTemporary, Text: tt.text(n)}
			})
			res, err := c.Upload(t.Context(), localFile(t, content(1000)), "f", nil)
			if res.Attempts != tt.attempts || (err == nil) != tt.ok || !tt.ok && ftpx.KindOf(err) != transport.KindTemporary {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}

// Test426OverAWholeFile: a server that stores a file and says 426 to it: what it holds is
// proven, however small it is, and not sent again.
func Test426OverAWholeFile(t *testing.T) {
	for _, size := range []int{0, 1354, 3 << 20} {
		var stored atomic.Int32
		trio := startTrio(t, func(o *testserver.TrioOptions) {
			o.FTP = func(s *testserver.FTPOptions) {
				s.OnStored = func(string) { stored.Add(1) }
				s.OnReply = func(verb, line string) string {
					if verb == "STOR" && strings.HasPrefix(line, "226") {
						return "426 Connection closed; transfer aborted."
					}
					return line
				}
			}
		})
		c := connect(t, trio, optionsFor(trio, ftpx.FTP))
		data := content(size)
		res, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
		if err != nil || stored.Load() > 1 || res.Attempts > 2 {
			t.Errorf("%d bytes: %+v, %v, stored %d times", size, res, err, stored.Load())
		}
		if b, err := os.ReadFile(trio.Root + "/f"); errors.Is(err, os.ErrNotExist) || string(b) != string(data) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
