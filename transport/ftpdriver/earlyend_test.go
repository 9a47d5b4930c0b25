package ftpdriver

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRefusedWhileItMoves: a refusal that follows the 150 at once ends the transfer,
// although the data connection is left open, under TLS before it is one.
func TestRefusedWhileItMoves(t *testing.T) {
	const big = 16 << 20 // more than kernels hold
	for name, do := range map[string]func(t *testing.T, c *tconn) error{
		"STOR": func(t *testing.T, c *tconn) error {
			_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(make([]byte, big)), nil)
			return err
		},
		"STOR of little": func(t *testing.T, c *tconn) error {
			_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(make([]byte, 40<<10)), nil)
			return err
		},
		"STOR of a small file": func(t *testing.T, c *tconn) error {
			return c.do(t.Context(), &transport.Store{Path: "f", Src: bytes.NewReader([]byte("x")), Size: 1})
		},
		"STOR of nothing": func(t *testing.T, c *tconn) error {
			_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(nil), nil)
			return err
		},
		"RETR": func(t *testing.T, c *tconn) error {
			_, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
			return err
		},
		"RETR of a part": func(t *testing.T, c *tconn) error {
			_, err := c.Retrieve(t.Context(), "f", 5, io.Discard, nil)
			return err
		},
		"LIST": func(t *testing.T, c *tconn) error {
			return c.List(t.Context(), "d", func(transport.Entry) bool { return true })
		},
	} {
		for _, accepts := range []bool{true, false} {
			for _, serial := range []bool{false, true} {
				for _, p := range protocols {
					t.Run(fmt.Sprintf("%s %s, accepted %v, serial %v", name, p, accepts, serial), func(t *testing.T) {
						t.Parallel()
						ep, _ := startFake(t, p, func(f *fake) {
							folders(f, "/home/d")
							refuse := func(s *session, _ string) string {
								s.say("150 here we go")
								if accepts {
									conn, err := s.data.Accept()
									if err != nil {
										return "425 no"
									}
									s.keep(conn) // to the end of the test
								}
								return "450 f: no such folder"
							}
							f.on["STOR"], f.on["RETR"], f.on["LIST"] = refuse, refuse, refuse
						})
						c := dial(t, ep)
						c.ctl.grace = 100 * time.Millisecond
						c.serial = serial
						begin := time.Now()
						err := do(t, c)
						wantKind(t, err, transport.KindTemporary, 450)
						if d := time.Since(begin); d > ep.Stall/2 {
							t.Errorf("it took %v", d)
						}
						if !c.Usable() {
							t.Error("the session is given up")
						}
						if err := c.Ping(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
	}
}

// TestRefusedWhenItHasCome: what had come before the refusal is not lost, however slowly it
// is taken.
func TestRefusedWhenItHasCome(t *testing.T) {
	data := random(1 << 20)
	for _, p := range protocols {
		ep, _ := startFake(t, p, func(f *fake) {
			f.on["RETR"] = func(s *session, _ string) string {
				s.say("150 here it comes")
				conn := s.accept()
				if conn == nil {
					return "425 no"
				}
				_, _ = conn.Write(data)
				s.say("451 Input/output error")
				_ = conn.Close()
				return ""
			}
		})
		c := dial(t, ep)
		var got bytes.Buffer
		get := &transport.Retrieve{Path: "f", Dst: &got}
		err := c.do(t.Context(), get)
		if te := wantKind(t, err, transport.KindTemporary, 451); !bytes.Equal(got.Bytes(), data) || get.Received != int64(len(data)) {
			t.Errorf("%d bytes, %v", got.Len(), te)
		}
	}
}
