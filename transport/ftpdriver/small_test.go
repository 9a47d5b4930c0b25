package ftpdriver

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestSmallStoreRefused: a refusal, or the end of the control connection, is told at
// once, although the data connection is still being dialled.
func TestSmallStoreRefused(t *testing.T) {
	for _, p := range protocols {
		for _, answer := range []string{"553 Could not create file.", "421 Goodbye.", hangUp} {
			t.Run(p.String()+" "+answer, func(t *testing.T) {
				ep, _ := startFake(t, p, func(f *fake) {
					f.on["STOR"] = func(*session, string) string { return answer }
				})
				control := ep.Addr()
				ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if addr != control { // the data connection's, which nobody answers
						<-ctx.Done()
						return nil, ctx.Err()
					}
					return (&net.Dialer{}).DialContext(ctx, network, addr)
				}
				c := dial(t, ep)
				begin := time.Now()
				n, err := c.Store(t.Context(), "f", 0, strings.NewReader("small"), &IO{Size: 5})
				var te *transport.Error
				if !errors.As(err, &te) || n != 0 || te.Kind == transport.KindCanceled || te.Kind == transport.KindTimeout {
					t.Fatal(n, err)
				}
				if answer == hangUp && te.Kind != transport.KindLost || answer != hangUp && !strings.HasPrefix(answer, strconv.Itoa(te.Code)) {
					t.Errorf("%+v", te)
				}
				if took := time.Since(begin); took > ep.ConnectBudget()/2 {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

// TestSmallStoreFinishes: what follows a small file is done with it, and the next
// port is asked for ahead.
func TestSmallStoreFinishes(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, nil)
		c := dial(t, ep)
		finish := &Finish{More: true}
		for i := range 2 {
			if n, err := c.Store(t.Context(), "f", 0, strings.NewReader("small"), &IO{Size: 5, Finish: finish}); err != nil || n != 5 {
				t.Fatal(p, i, n, err)
			}
		}
		if finish.Entry == nil || finish.Entry.Size != 5 {
			t.Errorf("%v: %+v", p, finish.Entry)
		}
		if n := f.count("EPSV"); n != 3 {
			t.Errorf("%v: EPSV %d times, want one first and one ahead with each end", p, n)
		}
	}
}
