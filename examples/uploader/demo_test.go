package main

import (
	"bytes"
	"context"
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
	for seed := 1; seed <= 3; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			noTemp(t)
			begin := time.Now()
			s := uploader.Run(t.Context(), t, "-demo", "-seed", fmt.Sprint(seed)).Want(t, cli.ExitDone)
			for _, words := range []string{"protocol", "connections", "reset", "survived", "resumes", "line beyond need", "time",
				" sftp ", " ftps ", " ftp ", "All files are identical on the server (SHA-256)", "goes on at"} {
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
	change := func(f func(name string, data []byte) error) func(string) {
		return func(root string) {
			name := filepath.Join(root, "übersicht-1.txt")
			data, err := os.ReadFile(name)
			if err == nil {
				err = f(name, data)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	const wrong = "FAILED: not identical on the server: 1 of the files"
	for name, c := range map[string]struct {
		says   string
		tamper func(string)
	}{
		"shorter": {wrong, change(func(name string, data []byte) error { return os.Truncate(name, int64(len(data)-1)) })},
		"gone":    {wrong, change(func(name string, _ []byte) error { return os.Remove(name) })},
		"other": {wrong, change(func(name string, data []byte) error {
			data[len(data)/2] ^= 1
			return os.WriteFile(name, data, 0o666)
		})},
		"partial left": {"FAILED: ftp: a partial was left behind", change(func(name string, data []byte) error {
			return os.WriteFile(filepath.Join(filepath.Dir(name), ".x.ftpx-0123456789abcdef.part"), data, 0o666)
		})},
	} {
		t.Run(name, func(t *testing.T) {
			noTemp(t)
			var out bytes.Buffer
			d := &demo{env: cli.Env{Stdout: &out, Stderr: &out, Getenv: os.Getenv}.Shared(), seed: 1, protocols: []ftpx.Protocol{ftpx.FTP}, tamper: c.tamper}
			code := d.run(t.Context())
			if code != cli.ExitSome || !strings.Contains(out.String(), c.says) || strings.Contains(out.String(), "All files are identical") {
				t.Errorf("exit code %d: %s", code, out.String())
			}
		})
	}
}

func TestDemoInterrupted(t *testing.T) {
	noTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	d := &demo{env: cli.Env{Stdout: &out, Stderr: &out, Getenv: os.Getenv}.Shared(), seed: 1, protocols: []ftpx.Protocol{ftpx.FTP, ftpx.SFTP}, tamper: func(string) { cancel() }}
	if code := d.run(ctx); code != cli.ExitInterrupted || strings.Contains(out.String(), "FAILED") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}
