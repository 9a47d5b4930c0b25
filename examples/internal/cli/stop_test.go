package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type doFunc = func(context.Context, func(ftpx.ProgressInfo)) (ftpx.Result, error)

func succeed(context.Context, func(ftpx.ProgressInfo)) (ftpx.Result, error) {
	return ftpx.Result{Outcome: ftpx.Done, Size: 3, Moved: 3, Protocol: ftpx.SFTP, Verified: ftpx.Verified{Size: true}}, nil
}

func failWith(err error) doFunc {
	return func(context.Context, func(ftpx.ProgressInfo)) (ftpx.Result, error) { return ftpx.Result{}, err }
}

// perform runs jobs, and returns the exit code, what was printed, and how many were
// taken before no more were wanted.
func perform(ctx context.Context, f Flags, env Env, jobs ...Job) (code int, out, errs string, taken int) {
	o, e := &buffer{}, &buffer{}
	env.Stdout, env.Stderr = o, e
	code = Run(ctx, "upload", f, env, func(yield func(Job) bool) error {
		for _, j := range jobs {
			if !yield(j) {
				break
			}
			taken++
		}
		return nil
	}, nil)
	return code, o.String(), e.String(), taken
}

// One failure stops nothing else, unless the others would meet it too.
func TestWhatEndsTheRun(t *testing.T) {
	at := func(op string, kind transport.Kind) error {
		return &ftpx.Error{Outcome: ftpx.NotDone, Op: "upload", Err: &transport.Error{Op: op, Kind: kind, Err: errors.New("because")}}
	}
	for name, c := range map[string]struct {
		err  error
		code int
		all  bool
	}{
		"file not there":        {fs.ErrNotExist, ExitSome, true},
		"permission":            {at("STOR", transport.KindPermission), ExitSome, true},
		"lost":                  {at("STOR", transport.KindLost), ExitSome, true},
		"data port unreachable": {at("PASV", transport.KindUnreachable), ExitSome, true},
		"disk full":             {at("STOR", transport.KindNoSpace), ExitSome, true},
		"login":                 {at("login", transport.KindAuth), ExitLogin, false},
		"host key":              {at("handshake", transport.KindHostKey), ExitIdentity, false},
		"certificate":           {at("handshake", transport.KindCertificate), ExitIdentity, false},
		"server gone":           {at("connect", transport.KindUnreachable), ExitConnect, false},
		"server silent":         {at("dial", transport.KindTimeout), ExitConnect, false},
	} {
		t.Run(name, func(t *testing.T) {
			jobs := []Job{{Remote: "first", Do: succeed}, {Remote: "bad", Do: failWith(c.err)}}
			for range 50 {
				jobs = append(jobs, Job{Remote: "more", Do: succeed})
			}
			code, _, errs, taken := perform(t.Context(), Flags{Parallel: 1}, Env{}, jobs...)
			if code != c.code || (taken == len(jobs)) != c.all {
				t.Errorf("exit code %d, want %d; %d of %d jobs taken\n%s", code, c.code, taken, len(jobs), errs)
			}
			if !c.all && !strings.Contains(errs, "no more was tried") {
				t.Errorf("standard error: %s", errs)
			}
		})
	}
}

// An interrupt counts only if it left something undone.
func TestInterruptAfterAll(t *testing.T) {
	for n, want := range map[int]int{1: ExitDone, 3: ExitInterrupted} {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		first := Job{Remote: "first", Do: func(ctx context.Context, p func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			interrupt()
			return succeed(ctx, p)
		}}
		jobs := append([]Job{first}, slices.Repeat([]Job{{Remote: "more", Do: succeed}}, n-1)...)
		code, _, errs, _ := perform(ctx, Flags{Parallel: 1}, Env{}, jobs...)
		if code != want || (want == ExitInterrupted) != strings.Contains(errs, "interrupted") {
			t.Errorf("%d jobs: exit code %d, want %d: %s", n, code, want, errs)
		}
	}
}

func TestUnknownIsNotDone(t *testing.T) {
	code, out, _, _ := perform(t.Context(), Flags{Parallel: 1, JSON: true}, Env{}, Job{Remote: "x", Do: func(context.Context, func(ftpx.ProgressInfo)) (ftpx.Result, error) {
		return ftpx.Result{}, &ftpx.Error{Op: "upload", Outcome: ftpx.Unknown, Err: errors.New("reply lost")}
	}})
	if code != ExitSome || !strings.Contains(out, `"outcome":"unknown"`) || !strings.Contains(out, `"unknown":1`) {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// Jobs put off come after all others, alone, shorter paths first.
func TestLastJobs(t *testing.T) {
	var mu sync.Mutex
	var order []string
	under := 0
	job := func(local string, last bool) Job {
		return Job{Local: local, Last: last, Do: func(ctx context.Context, p func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			if under++; last && under != 1 {
				t.Errorf("%s is not alone", local)
			}
			order = append(order, local)
			under--
			return succeed(ctx, p)
		}}
	}
	code, _, _, _ := perform(t.Context(), Flags{Parallel: 3}, Env{}, job("a.part.part", true), job("a.part", true), job("a", false), job("b", false), job("c", false))
	if code != ExitDone || len(order) != 5 || !slices.Equal(order[3:], []string{"a.part", "a.part.part"}) {
		t.Errorf("exit code %d, order %q", code, order)
	}
}

// On a terminal every line is kept, whatever is shown below them, and nothing of that
// reaches a standard output that is a file.
func TestBars(t *testing.T) {
	var jobs []Job
	for i := range 30 {
		jobs = append(jobs, Job{Remote: fmt.Sprintf("file-%d", i), Do: func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			for at := int64(0); at <= 1000 && progress != nil; at += 100 {
				progress(ftpx.ProgressInfo{Remote: "file", Offset: at, Size: 1000})
			}
			return succeed(ctx, progress)
		}})
	}
	jobs = append(jobs, Job{Remote: "bad", Err: errors.New("it is bad")})
	for _, stdoutToo := range []bool{false, true} {
		code, out, errs, _ := perform(t.Context(), Flags{Parallel: 4}, Env{Terminal: true, StdoutTerminal: stdoutToo}, jobs...)
		if code != ExitSome {
			t.Errorf("exit code %d", code)
		}
		lines := out
		if stdoutToo {
			lines = out + errs // both are the terminal, and the bars are on it
		}
		for i := range 30 {
			if n := strings.Count(lines, fmt.Sprintf("done file-%d (", i)); n != 1 {
				t.Errorf("file-%d is told %d times", i, n)
			}
		}
		if !stdoutToo && strings.Count(out, "\n") != 30 {
			t.Errorf("standard output: %q", out)
		}
		for _, text := range []string{"not done: it is bad", "31 files: 30 done, 1 failed"} {
			if !strings.Contains(errs, text) {
				t.Errorf("no %q on the terminal: %q", text, errs)
			}
		}
	}
	for _, f := range []Flags{{Parallel: 2, JSON: true}, {Parallel: 2, Quiet: true}} {
		if _, _, errs, _ := perform(t.Context(), f, Env{Terminal: true, StdoutTerminal: true}, jobs...); strings.Contains(errs, "\x1b") {
			t.Errorf("bars in spite of %+v", f)
		}
	}
}

// A comma in a file's own name cuts it in two nowhere.
func TestListOfFiles(t *testing.T) {
	with := filepath.Join(t.TempDir(), "a,b")
	if err := os.WriteFile(with, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var f Flags
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	f.register(fs)
	if err := fs.Parse([]string{"-identity", "x, y", "-identity", with}); err != nil || !slices.Equal(f.Identities, []string{"x", "y", with}) {
		t.Errorf("%v: %q", err, f.Identities)
	}
}
