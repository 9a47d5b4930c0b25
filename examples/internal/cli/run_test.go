package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// buffer may be written to by the bars and by everybody else at once.
type buffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	fail bool
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail {
		return 0, errors.New("the terminal has gone")
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func done(size int64) ftpx.Result { return ftpx.Result{Outcome: ftpx.Done, Size: size, Moved: size} }

// TestRunOutcomes: failures of jobs and of the search for them count, and stop
// nothing.
func TestRunOutcomes(t *testing.T) {
	ok := Job{Remote: "ok", Do: func(context.Context, func(ftpx.ProgressInfo)) (ftpx.Result, error) { return done(3), nil }}
	unknown := Job{Remote: "unknown", Do: func(context.Context, func(ftpx.ProgressInfo)) (ftpx.Result, error) {
		return ftpx.Result{Outcome: ftpx.Unknown, Size: -1}, errors.New("lost at the worst moment")
	}}
	bad := Job{Remote: "bad", Err: errors.New("unreadable")}
	for name, c := range map[string]struct {
		jobs []Job
		err  error
		exit int
		says string
	}{
		"nothing": {nil, nil, ExitDone, "0 files: 0 done, 0 failed, 0 unknown"},
		"good":    {[]Job{ok, ok}, nil, ExitDone, "2 files: 2 done, 0 failed, 0 unknown; 6 B"},
		"bad":     {[]Job{bad, ok}, nil, ExitSome, "2 files: 1 done, 1 failed, 0 unknown; 3 B"},
		"unknown": {[]Job{unknown, ok}, nil, ExitSome, "2 files: 1 done, 0 failed, 1 unknown; 3 B"},
		"search":  {[]Job{ok}, errors.New("cannot go on"), ExitSome, "cannot go on"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs buffer
			got := Run(t.Context(), "upload", Flags{Parallel: 2}, Env{Stdout: &out, Stderr: &errs}, func(yield func(Job) bool) error {
				for _, j := range c.jobs {
					if !yield(j) {
						t.Error("no more jobs are wanted")
					}
				}
				return c.err
			}, nil)
			if got != c.exit || !strings.Contains(errs.String(), c.says) {
				t.Errorf("exit code %d, stderr %s", got, errs.String())
			}
		})
	}
}

// TestBarsEnd: whatever transfers do with their progress, a run ends, and all lines
// are there: of files of no size, of unknown size, that step back, that stop in the
// middle, that report when they are over, and on a terminal that goes away.
func TestBarsEnd(t *testing.T) {
	for _, gone := range []bool{false, true} {
		var out, errs buffer
		errs.fail = gone
		var late []func(ftpx.ProgressInfo)
		var mu sync.Mutex
		job := func(size int64, err error, offsets ...int64) Job {
			name := "file\x1b[2J"
			return Job{Remote: name, Do: func(_ context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
				for _, o := range offsets {
					progress(ftpx.ProgressInfo{Remote: name, Offset: o, Size: size})
				}
				mu.Lock()
				late = append(late, progress)
				mu.Unlock()
				if err != nil {
					return ftpx.Result{}, err
				}
				return done(size), nil
			}}
		}
		jobs := []Job{job(0, nil), job(0, nil, 0), job(-1, nil, 0, 5, 9), job(10, nil, 0, 5, 10, 2, 10), job(10, errors.New("broken"), 0, 5), job(10, nil, 5), job(10, nil, 10, 11)}
		env := Env{Stdout: &out, Stderr: &errs, Terminal: true}
		code := Run(t.Context(), "upload", Flags{Parallel: 3}, env, func(yield func(Job) bool) error {
			for _, j := range jobs {
				yield(j)
			}
			return nil
		}, nil)
		for _, progress := range late {
			progress(ftpx.ProgressInfo{Offset: 1, Size: 2})
		}
		if code != ExitSome || strings.Count(out.String(), "\n") != len(jobs)-1 {
			t.Errorf("exit code %d, stdout %q", code, out.String())
		}
		if !gone && !strings.Contains(errs.String(), "7 files: 6 done, 1 failed") {
			t.Errorf("stderr %q", errs.String())
		}
		if strings.Contains(errs.String()+out.String(), "[2J\x1b") || strings.Contains(errs.String(), "file\x1b") {
			t.Error("a control character out of a name is shown")
		}
	}
}
