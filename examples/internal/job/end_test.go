package job

import (
	"bytes"
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
	l := &leg{run: &run{report: &report{}, Job: &Job{Name: "nightly", Up: true}, out: &output{env: env, json: true}, env: env}, t: target, base: "in"}
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
