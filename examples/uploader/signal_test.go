//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// TestSignals sends real signals to the real command.
func TestSignals(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	bin := filepath.Join(t.TempDir(), "uploader")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			h := holdLine(t)
			cmd := exec.CommandContext(t.Context(), bin, h.args(t, "sftp")...)
			cmd.Env = append(os.Environ(), "FTPX_PASSWORD="+clitest.Password)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			clitest.Until(t, "the line is held", h.held)
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) {
				t.Fatal(err)
			}
			s := clitest.Seen{Code: exit.ExitCode(), Out: out.String(), Err: errs.String()}.Want(t, cli.ExitInterrupted)
			if records, _ := s.Records(t); len(records) != 1 || records[0].Outcome != "not done" {
				t.Errorf("%+v", records)
			}
			h.checkKept(t)
		})
	}
}
