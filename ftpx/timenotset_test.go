package ftpx_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestTimeThatIsNotSet: a server that acknowledges a time and does not set it is found out
// by the look that follows.
func TestTimeThatIsNotSet(t *testing.T) {
	for _, lies := range []bool{false, true} {
		for _, size := range []int{100, 3 << 20} {
			s := memconn.New(memconn.Options{})
			asked := 0
			o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}}
			ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
				c, err := s.Dial(ctx, ep)
				if err != nil {
					return nil, err
				}
				return memconn.Wrap(c, func(_ context.Context, r transport.Request, next func() error) error {
					if _, ok := r.(*transport.SetTime); ok {
						if asked++; lies {
							return nil
						}
					}
					return next()
				}), nil
			})
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
			if err != nil {
				t.Fatal(err)
			}
			res, err := c.Put(t.Context(), "f", bytes.NewReader(content(size)), &ftpx.PutOptions{ModTime: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)})
			if err != nil || asked != 1 || res.TimeKept == lies {
				t.Errorf("lies: %v, %d bytes: %+v, %v, asked %d times", lies, size, res, err, asked)
			}
			c.Close()
		}
	}
}
