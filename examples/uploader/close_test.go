package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// doubtful is a client that finds, when it is closed, that files were replaced.
type doubtful struct {
	ftpx.Client
	began  chan struct{} // an upload has begun and waits for its end, nil for at once
	closed int
}

func (d *doubtful) Upload(ctx context.Context, _, remote string, _ *ftpx.UploadOptions) (ftpx.Result, error) {
	if d.began != nil {
		close(d.began)
		<-ctx.Done()
		return ftpx.Result{}, &ftpx.Error{Outcome: ftpx.NotDone, Op: "upload", Remote: remote, Err: ctx.Err()}
	}
	return ftpx.Result{Outcome: ftpx.Done, Size: 1, Moved: 1}, nil
}

func (d *doubtful) Close() error {
	d.closed++
	var errs []error
	for _, name := range []string{"in/x", "in/y"} {
		errs = append(errs, &ftpx.Error{Outcome: ftpx.NotDone, Op: "close", Remote: name, Err: ftpx.ErrReplaced})
	}
	return errors.Join(errs...)
}

// TestReplacedAtTheEnd: each file that was replaced after it had been sent is a failure
// with its name, also where the run was interrupted.
func TestReplacedAtTheEnd(t *testing.T) {
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a"})
	for _, interrupted := range []bool{false, true} {
		t.Run(fmt.Sprint("interrupted ", interrupted), func(t *testing.T) {
			d := &doubtful{}
			want := cli.ExitSome
			c := clitest.Command{Main: func(ctx context.Context, _ []string, env cli.Env) int {
				ctx, interrupt := context.WithCancel(ctx)
				defer interrupt()
				if interrupted {
					d.began = make(chan struct{})
					want = cli.ExitInterrupted
					go func() { <-d.began; interrupt() }()
				}
				sources, err := findSources([]string{filepath.Join(src, "a")})
				if err != nil {
					t.Fatal(err)
				}
				return upload(ctx, d, cli.Flags{Parallel: 1, JSON: true}, env, sources, ftpx.UploadOptions{})
			}}
			s := c.Run(t.Context(), t)
			s.Want(t, want, `"in/x"`, `"in/y"`)
			records, sum := s.Records(t)
			var named []string
			for _, r := range records {
				if r.Op == cli.OpVerify && r.Outcome == "not done" && strings.Contains(r.Error, "no longer what was put there") {
					named = append(named, r.Remote)
				}
			}
			if fmt.Sprint(named) != "[in/x in/y]" || sum.Files != 3 || d.closed != 1 {
				t.Errorf("named %q, closed %d times, %+v", named, d.closed, sum)
			}
		})
	}
}
