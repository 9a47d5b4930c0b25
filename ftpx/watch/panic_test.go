package watch_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// TestHookPanicsInJob: a hook that panics while a job lists or copies is a panic of the job's
// caller, who finds nothing under way any more.
func TestHookPanicsInJob(t *testing.T) {
	for _, op := range []string{"list", "download", "upload"} {
		t.Run(op, func(t *testing.T) {
			s := memconn.New(memconn.Options{})
			dir := t.TempDir()
			for _, name := range []string{"a", "b", "c"} {
				s.Files().Write("in/"+name, bytes.Repeat([]byte(name), 1000), time.Unix(1e9, 0))
				if err := errors.Join(os.MkdirAll(filepath.Join(dir, "in"), 0o700), os.WriteFile(filepath.Join(dir, "in", name), []byte(name), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			type made struct{}
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: ftpx.Options{
				Protocols: []ftpx.Protocol{ftpx.SFTP}, Connect: s.Dial, Hooks: &ftpx.Hooks{
					Attempt: func(_ context.Context, i ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
						if i.Op == op && (op == "list" || strings.HasSuffix(i.Remote, "b")) {
							panic(made{})
						}
						return nil, nil
					},
				}}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			o := quick(time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // an end, should nobody panic
			defer cancel()
			func() {
				defer func() {
					if p := recover(); p != (made{}) {
						t.Errorf("panic: %v", p)
					}
				}()
				if op == "upload" {
					_, err = watch.Upload(ctx, c, filepath.Join(dir, "in"), "out", o)
				} else {
					_, err = watch.Download(ctx, c, "in", filepath.Join(dir, "got"), o)
				}
				t.Errorf("it has returned: %v", err)
			}()
			if st := c.Stats(); st.Open != st.Idle {
				t.Errorf("%d connections are open, %d idle", st.Open, st.Idle)
			}
		})
	}
}
