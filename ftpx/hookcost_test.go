//go:build !race

package ftpx_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// TestNilHooksAllocateNothing: without hooks, and with those alone that are not told of
// operations, a call allocates no more than it did before hooks carried a context, which
// is the number beside it.
func TestNilHooksAllocateNothing(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 4<<10)
	for _, c := range []struct {
		name string
		most float64
		do   func(c ftpx.Client) error
	}{
		{"stat", 34, func(c ftpx.Client) error { return errOf(c.Stat(t.Context(), "there")) }},
		{"put", 99, func(c ftpx.Client) error { return errOf(c.Put(t.Context(), "put", bytes.NewReader(data), nil)) }},
		{"get", 79, func(c ftpx.Client) error { return errOf(c.Get(t.Context(), "there", &bytes.Buffer{}, nil)) }},
	} {
		for name, hooks := range map[string]*ftpx.Hooks{"none": nil, "all nil": {}, "quiet": {Conn: func(ftpx.ConnInfo) {}, Alarm: func(ftpx.AlarmInfo) {}}} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				s := memconn.New(memconn.Options{})
				s.Files().Write("there", data, time.Unix(1e9, 0))
				opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Connect: s.Dial, Hooks: hooks}
				client, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
				must(t, err)
				defer client.Close()
				n := testing.AllocsPerRun(200, func() { must(t, c.do(client)) })
				t.Logf("%v allocations", n)
				if n > c.most {
					t.Errorf("%v allocations, more than %v", n, c.most)
				}
			})
		}
	}
}
