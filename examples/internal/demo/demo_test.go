package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// noTemp gives the test a folder for temporary files, and checks that none is left.
func noTemp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	t.Cleanup(func() { clitest.Holds(t, dir, map[string]string{}) })
}

func TestDemo(t *testing.T) {
	seeds := 3
	if raced {
		seeds = 1
	}
	for seed := 1; seed <= seeds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			noTemp(t)
			begin := time.Now()
			s := clitest.Command{Main: func(ctx context.Context, _ []string, env cli.Env) int { return Run(ctx, env, uint64(seed)) }}.
				Run(t.Context(), t).Want(t, cli.ExitDone)
			for _, words := range []string{"protocol", "connections", "reset", "survived", "resumes", "line beyond need", "time",
				" sftp ", " ftps ", " ftp ", "All files are identical on the server (SHA-256)", "resumed at"} {
				if !strings.Contains(s.Out, words) {
					t.Errorf("the output does not hold %q:\n%s", words, s.Out)
				}
			}
			if s.Err != "" {
				t.Errorf("stderr: %s", s.Err)
			}
			// The promise is 20 s on a machine that does nothing else.
			t.Logf("took %v", time.Since(begin))
		})
	}
}

// TestDemoCanFail: the demo compares what it says that it compares.
func TestDemoCanFail(t *testing.T) {
	noTemp(t)
	shorter, gone, other := filepath.FromSlash("übersicht-1.txt"), filepath.FromSlash("帳票/2.bin"), filepath.FromSlash("deep/er/отчёт 3.dat")
	tamper := func(root string) {
		data, err := os.ReadFile(filepath.Join(root, other))
		if err != nil {
			t.Error(err)
			return
		}
		data[len(data)/2] ^= 1
		info, err := os.Stat(filepath.Join(root, shorter))
		if err != nil {
			t.Error(err)
			return
		}
		err = errors.Join(os.WriteFile(filepath.Join(root, other), data, 0o666),
			os.Truncate(filepath.Join(root, shorter), info.Size()-1),
			os.Remove(filepath.Join(root, gone)))
		if err != nil {
			t.Error(err)
		}
	}
	var out bytes.Buffer
	d := &demo{env: cli.Env{Stdout: &out, Stderr: &out, Getenv: os.Getenv}.Shared(), seed: 1, protocols: []ftpx.Protocol{ftpx.FTP}, tamper: tamper}
	code := d.run(t.Context())
	for _, words := range []string{"WRONG: " + shorter, "WRONG: " + gone, "WRONG: " + other, "FAILED: not identical on the server: 3 of the files"} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("the output does not hold %q", words)
		}
	}
	if code != cli.ExitSome || strings.Contains(out.String(), "All files are identical") || strings.Count(out.String(), "WRONG") != 3 {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// TestDemoLooksForPartials: all files being there is not enough.
func TestDemoLooksForPartials(t *testing.T) {
	var out bytes.Buffer
	d := &demo{env: cli.Env{Stdout: &out}, dir: t.TempDir()}
	root := t.TempDir()
	clitest.Write(t, d.source(), map[string]string{"sub/a": "a"})
	clitest.Write(t, root, map[string]string{"sub/a": "a"})
	var r row
	if err := d.compare(root, &r); err != nil || r.files != 1 || r.bytes != 1 || r.wrong != 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	clitest.Write(t, root, map[string]string{"sub/.a.ftpx-0123456789abcdef.part": "a"})
	if err := d.compare(root, &r); err == nil || !strings.Contains(err.Error(), "partial") {
		t.Fatal(err)
	}
}

// TestDemoProvesNothing: without a reset the demo has shown nothing.
func TestDemoProvesNothing(t *testing.T) {
	var out bytes.Buffer
	d := &demo{env: cli.Env{Stdout: &out}}
	if code := d.summary([]row{{proto: ftpx.SFTP, files: 1, bytes: 1, sent: 1}}); code != cli.ExitSome || !strings.Contains(out.String(), "FAILED: no reset") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// cutOff ends a context with the first word of trouble.
type cutOff struct {
	bytes.Buffer
	cancel context.CancelFunc
}

func (c *cutOff) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("retrying in")) {
		c.cancel()
	}
	return c.Buffer.Write(b)
}

func TestDemoInterrupted(t *testing.T) {
	noTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := cutOff{cancel: cancel}
	var errs bytes.Buffer
	d := &demo{env: cli.Env{Stdout: &out, Stderr: &errs, Getenv: os.Getenv}.Shared(), seed: 1}
	if code := d.run(ctx); code != cli.ExitInterrupted || strings.Contains(out.String(), "FAILED") || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit code %d: %s %s", code, out.String(), errs.String())
	}
}
