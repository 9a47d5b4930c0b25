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
				n, err := c.Store(t.Context(), "f", 0, strings.NewReader("small"), &transport.IO{Size: 5})
				var te *transport.Error
				if !errors.As(err, &te) || n != 0 || te.Kind == transport.KindCanceled || te.Kind == transport.KindTimeout {
					t.Fatal(n, err)
				}
				if answer == hangUp && te.Kind != transport.KindLost || answer != hangUp && !strings.HasPrefix(answer, strconv.Itoa(te.Code)) {
					t.Errorf("%+v", te)
				}
				if took := time.Since(begin); took > ep.WithDefaults().ConnectTimeout/2 {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

// TestSmallStoreFinishes: what follows a small file is done with it, and the next
// port is asked for in advance.
func TestSmallStoreFinishes(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, nil)
		c := dial(t, ep)
		for i := range 2 {
			store := &transport.Store{Path: "f", Src: strings.NewReader("small"), Size: 5}
			stat := &transport.Stat{Path: "f"}
			again := &transport.Store{Path: "f", Src: strings.NewReader("again"), Size: 5}
			again.If = func() bool { return false }
			if err := c.do(t.Context(), store, stat, again); err != transport.ErrSkipped || store.Stored != 5 {
				t.Fatal(p, i, store.Stored, err)
			}
			if stat.Err != nil || stat.Entry.Size != 5 {
				t.Errorf("%v: %+v, %v", p, stat.Entry, stat.Err)
			}
		}
		if n := f.count("EPSV"); n != 3 {
			t.Errorf("%v: EPSV %d times, want one first and one ahead with each end", p, n)
		}
	}
}
