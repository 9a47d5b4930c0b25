//go:build linux && realserver

package trustdrill

import (
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// TestControlBlackHoledOnceDataIsThrough loses everything that the server says
// from the moment at which the data has arrived, and leaves every socket open: no
// 226 comes, no error either. The upload must be reported done, by looking at
// what is there on a new connection, within about the stall time, and nothing may
// be sent twice. lftp needs 10 s for this, rclone sends everything again, a bare
// library hangs for ever.
func TestControlBlackHoledOnceDataIsThrough(t *testing.T) {
	const size, stall = 16 * mib, 2 * time.Second
	data := content(1, size)
	for _, s := range append([]setup{sshd, vsftpd12}, ftpSetups...) {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			source := local(t, data)
			if s.proto == ftpx.SFTP {
				// The last acknowledgements are lost; what the client still sends,
				// as far as SSH lets it without a word of the server, arrives.
				r.control.SetPlan(faultproxy.Nth(0, faultproxy.Fault{
					Kind: faultproxy.LoseReply, Dir: faultproxy.Up, When: faultproxy.When{Bytes: size - mib/4},
				}))
			} else {
				r.control.SetPlan(faultproxy.Nth(0, faultproxy.LoseReplyAtDataEnd(0, faultproxy.Stall)))
			}
			c := r.client(t, func(o *ftpx.Options) { o.Timeouts.Stall = stall })
			var through time.Time // when the data was
			var watch sync.WaitGroup
			watch.Go(func() {
				comes(func() bool { return r.proxy.Stats().RepliesLost > 0 })
				through = time.Now()
			})
			res, err := c.Upload(t.Context(), source, "f", nil)
			end := time.Now()
			watch.Wait()
			took := end.Sub(through)
			if err != nil || !same(t, r.on("f"), data) {
				t.Fatalf("%+v, %v", res, err)
			}
			stats, sent := r.proxy.Stats(), c.Stats().BytesSent
			onLine := r.proxy.Stats(r.payloadRole()).Up
			t.Logf("done %v after the data was through, with a stall time of %v: payload sent %d of %d bytes, %d on the line, %d attempts, %s read back, %v",
				took.Round(10*time.Millisecond), stall, sent, size, onLine, res.Attempts, inMiB(c.Stats().BytesReceived), res.Verified)
			if stats.RepliesLost != 1 {
				t.Errorf("the fault did not happen: %+v", stats)
			}
			// Over SFTP what was read of the source counts as sent, and some of it
			// never left.
			if s.proto != ftpx.SFTP && sent != size || float64(onLine) > 1.01*size {
				t.Errorf("%d bytes of payload were sent, %d on the line: the file has %d", sent, onLine, size)
			}
			if took > stall*5/2 {
				t.Errorf("it took %v", took)
			}
			r.only(t, "f")
		})
	}
}
