package ftpdriver

import (
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRenameLostBeforeAnyReply: RNFR and RNTO have left in one write, and the connection
// is lost, or silent, before either is answered. RNFR alone changes nothing, but behind it
// was RNTO: it may have acted.
func TestRenameLostBeforeAnyReply(t *testing.T) {
	for how, then := range map[string]string{"lost": hangUp, "silent": ""} {
		for _, p := range protocols {
			t.Run(how+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				came := make(chan string, 1)
				ep, f := startFake(t, p, func(f *fake) {
					f.on["RNFR"] = func(s *session, _ string) string {
						line, _ := s.r.ReadString('\n')
						came <- line
						return then
					}
				})
				if ep.Stall = 10 * time.Second; then == "" {
					ep.Stall = 200 * time.Millisecond
				}
				c := dial(t, ep)
				err := c.Rename(t.Context(), "a", "b", true)
				if line := <-came; line != "RNTO b\r\n" {
					t.Fatalf("behind RNFR came %q, so that nothing is shown", line)
				}
				want := transport.KindLost
				if then == "" {
					want = transport.KindStalled
				}
				if te := wantKind(t, err, want, 0); !te.MayHaveActed {
					t.Errorf("RNTO had left, and it says that nothing can have happened: %v", te)
				}
				wantBroken(t, c, f)
			})
		}
	}
}
