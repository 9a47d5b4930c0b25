package ftpdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRefusedStoreIsNoEmptyFile: a data connection that stands when STOR, or REST before
// it, is refused is reset. In good order its end would be that of a file without content,
// and servers have been seen to go on with what they had refused.
func TestRefusedStoreIsNoEmptyFile(t *testing.T) {
	for _, refused := range []string{"STOR", "REST"} {
		for _, accepts := range []string{"before", "after"} {
			for i, p := range slices.Repeat(protocols, 2) {
				greeting := []string{"220 fake", "220 Microsoft FTP Service"}[i/len(protocols)] // the last one command at a time
				t.Run(fmt.Sprint(greeting, " ", p, " ", refused, " accepts ", accepts), func(t *testing.T) {
					t.Parallel()
					end, connected := make(chan error, 1), make(chan struct{}, 1)
					ep, f := startFake(t, p, func(f *fake) {
						f.greeting = greeting
						f.on[refused] = func(s *session, _ string) string {
							select {
							case <-connected:
							case <-time.After(10 * time.Second): // the accept fails, too
							}
							if accepts == "after" {
								s.say("553 Could not create file.")
							}
							s.protect = false // not one byte of TLS is to be answered
							conn := s.accept()
							if conn == nil {
								end <- errors.New("nobody came")
								return ""
							}
							if accepts == "before" {
								s.say("553 Could not create file.")
							}
							_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
							_, err := io.Copy(io.Discard, conn)
							end <- err
							return ""
						}
					})
					tellsOfData(ep, connected)
					c := dial(t, ep)
					offset := int64(0)
					if refused == "REST" {
						offset = 5
					}
					n, err := c.Store(t.Context(), "f", offset, bytes.NewReader(random(100<<10)), &transport.IO{Size: 100 << 10})
					if te := wantKind(t, err, transport.KindOf(err), 553); n != 0 || te.MayHaveActed {
						t.Error(n, te)
					}
					if err := <-end; transport.KindOf(err) != transport.KindLost {
						t.Errorf("the server saw %v in place of a reset", err)
					}
					if err := c.Ping(t.Context()); err != nil {
						t.Error(err)
					}
					if n := f.count("STOR"); refused == "REST" && n != 0 {
						t.Error("STOR was sent behind a refused REST")
					}
				})
			}
		}
	}
}

// tellsOfData has each data connection told that has been dialled.
func tellsOfData(ep *transport.Endpoint, connected chan<- struct{}) {
	control := ep.Addr()
	ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if addr != control {
			connected <- struct{}{}
		}
		return conn, err
	}
}
