package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// closer notes in which order things are closed.
type closer struct {
	order *[]string
	name  string
	err   error
}

func (c closer) Close() error {
	*c.order = append(*c.order, c.name)
	return c.err
}

type way struct{ closer }

func (w way) Close() { _ = w.closer.Close() }

// TestEnd: the client looks at what is in doubt while it can still be reached, and each
// file that it names has failed, whatever else has.
func TestEnd(t *testing.T) {
	var out, errs bytes.Buffer
	env := cli.Env{Stdout: &out, Stderr: &errs}
	local := filepath.Join("srv", "out")
	target := &Target{Name: "sftp://u@h/in", Local: local}
	l := &leg{run: &run{report: &report{}, Job: &Job{Name: "nightly", Up: true}, out: &output{wording: jobWording{}, env: env, json: true}, f: &Flags{}, env: env}, t: target, base: "in"}
	var order []string
	replaced := func(name string) error {
		return &ftpx.Error{Outcome: ftpx.NotDone, Op: "close", Remote: name, Err: ftpx.ErrReplaced}
	}
	l.end(closer{&order, "client", errors.Join(replaced("in/a"), replaced("in/sub/b"))}, way{closer{&order, "way", nil}})
	if fmt.Sprint(order) != "[client way]" {
		t.Errorf("closed in the order %v", order)
	}
	if l.sum.Failed != 2 || l.sum.Files != 2 || l.exit(t.Context(), nil) != cli.ExitSome {
		t.Errorf("%+v", l.sum)
	}
	for _, want := range []string{`"path":"a"`, `"path":"sub/b"`, `"op":"verify"`, `"outcome":"not done"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, &out)
		}
	}
	if !strings.Contains(errs.String(), "nightly: verify sub/b: ") {
		t.Errorf("standard error: %s", &errs)
	}
}

// TestEndOfUploader: a file that was replaced after it had been sent is a failure with its name,
// also where the run was interrupted.
func TestEndOfUploader(t *testing.T) {
	var out, errs bytes.Buffer
	f := &Flags{Program: "uploader", plain: true}
	env := cli.Env{Stdout: &out, Stderr: &errs}
	l := &leg{run: &run{report: &report{}, Job: &Job{Name: "put", Up: true}, out: newOutput(f, env), f: f, env: env},
		t: &Target{Name: "sftp://u@h/in", parts: func(context.Context, ftpx.Client) ([]Part, error) { return nil, nil }}, base: "in"}
	var order []string
	l.end(closer{&order, "client", &ftpx.Error{Outcome: ftpx.NotDone, Op: "close", Remote: "in/x", Err: ftpx.ErrReplaced}}, way{closer{&order, "way", nil}})
	gone, interrupt := context.WithCancel(t.Context())
	interrupt()
	for want, err := range map[int]error{cli.ExitSome: nil, cli.ExitInterrupted: context.Canceled} {
		ctx := t.Context()
		if err != nil {
			ctx = gone
		}
		if got := l.exit(ctx, err); got != want {
			t.Errorf("exit code %d, want %d", got, want)
		}
	}
	if text := errs.String(); !strings.Contains(text, `not done: close "in/x": `) || !strings.Contains(text, "no longer what was put there") {
		t.Errorf("standard error: %s", text)
	}
}
