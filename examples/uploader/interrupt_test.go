package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// heldLine is servers behind a line that stops in the middle of the first big file.
type heldLine struct {
	*clitest.World
	proxy *faultproxy.Proxy
	src   string
	data  string
	free  atomic.Bool // connections to come are not held
}

// heldAt is where it stops, within a file of twice the size.
const heldAt = 3 << 20

func holdLine(t *testing.T) *heldLine {
	t.Helper()
	h := &heldLine{src: t.TempDir(), data: clitest.Content(2 * heldAt)}
	clitest.Write(t, h.src, map[string]string{"big": h.data})
	h.proxy = faultproxy.New(faultproxy.Options{Plan: func(i faultproxy.ConnInfo) faultproxy.Fault {
		if i.Role == faultproxy.Control || h.free.Load() {
			return faultproxy.Fault{}
		}
		return faultproxy.StallAt(faultproxy.Up, heldAt)
	}})
	t.Cleanup(func() { h.proxy.Close() })
	h.World = clitest.Start(t, func(o *testserver.TrioOptions) { o.PassivePorts = h.proxy.PassivePorts(faultproxy.PassiveOptions{}) })
	return h
}

// args are those of an upload through the line.
func (h *heldLine) args(t *testing.T, scheme string) []string {
	t.Helper()
	role, target := faultproxy.SSH, h.SFTP.Addr().String()
	if scheme != "sftp" {
		role, target = faultproxy.Control, h.FTP.Addr().String()
	}
	route, err := h.proxy.Route(faultproxy.RouteOptions{Role: role, Target: target})
	if err != nil {
		t.Fatal(err)
	}
	if _, h.KnownHosts, err = h.WriteFiles(t.TempDir(), route.Addr().String()); err != nil {
		t.Fatal(err)
	}
	url := scheme + "://" + clitest.User + "@127.0.0.1:" + strconv.Itoa(route.Port()) + "/in"
	return []string{"-json", "-known-hosts", h.KnownHosts, "-ca", h.CAFile, filepath.Join(h.src, "big"), url}
}

func (h *heldLine) held() bool { return h.proxy.Stats().Stalls > 0 }

// written reports whether the server has written most of what the line has let through.
// What is on its way to the disk still, the reset of an interruption may take away.
func (h *heldLine) written() bool {
	partials, _ := filepath.Glob(filepath.Join(h.Root, "in", ".big.*.part"))
	if len(partials) != 1 {
		return false
	}
	info, err := os.Stat(partials[0])
	return err == nil && info.Size() > heldAt/2
}

// checkKept looks at what an interrupted run leaves: a partial that nobody takes
// for a file, and nothing else. It may have holes near its end, over SFTP; the next
// run sees to that.
func (h *heldLine) checkKept(t *testing.T) {
	t.Helper()
	tree := clitest.Tree(t, filepath.Join(h.Root, "in"))
	for name, data := range tree {
		if !strings.HasPrefix(name, ".big.") || !strings.HasSuffix(name, ".part") || data == "" || len(data) > len(h.data) {
			t.Errorf("%q is there, with %d bytes", name, len(data))
		}
	}
	if len(tree) != 1 {
		t.Errorf("%d files are there, not the partial alone", len(tree))
	}
}

// TestInterrupted: after an interruption in the middle of a file the next run goes
// on from there.
func TestInterrupted(t *testing.T) {
	for _, scheme := range []string{"sftp", "ftpes"} {
		t.Run(scheme, func(t *testing.T) {
			h := holdLine(t)
			args := h.args(t, scheme)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := make(chan clitest.Seen)
			go func() { seen <- uploader.Run(ctx, t, args...) }()
			clitest.Until(t, "the line is held", h.held)
			clitest.Until(t, "the server has written", h.written)
			cancel()
			s := (<-seen).Want(t, cli.ExitInterrupted)
			records, _ := s.Records(t)
			if len(records) != 1 || records[0].Outcome != "not done" || records[0].Kind != "canceled" {
				t.Errorf("%+v", records)
			}
			h.checkKept(t)
			h.free.Store(true)

			records, _ = uploader.Run(t.Context(), t, args...).Want(t, cli.ExitDone).Records(t)
			if r := records[0]; r.Kept < heldAt/2 || r.Kept+r.Moved < r.Size || r.Moved >= r.Size || r.Resumes != 1 {
				t.Errorf("the second run did not go on: %+v", r)
			}
			clitest.Holds(t, filepath.Join(h.Root, "in"), map[string]string{"big": h.data})
		})
	}
}

// TestInterruptedOnTerminal: bars do not outlive an interruption.
func TestInterruptedOnTerminal(t *testing.T) {
	h := holdLine(t)
	args := h.args(t, "sftp")[1:]
	c := uploader
	c.Terminal, c.StdoutTerminal = true, true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan clitest.Seen)
	go func() { seen <- c.Run(ctx, t, args...) }()
	clitest.Until(t, "the line is held", h.held)
	cancel()
	s := (<-seen).Want(t, cli.ExitInterrupted)
	lines := strings.Split(strings.TrimSuffix(s.Err, "\n"), "\n")
	if last := lines[len(lines)-1]; !regexp.MustCompile(`^(.*\r\x1b\[K)?` + wasCut + `$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
	if strings.Contains(s.Err, "not done") {
		t.Errorf("more than one line tells of it: %q", s.Err)
	}
}

// wasCut is what is said of an interruption in the middle of the one file.
const wasCut = `interrupted after \S+: 0 files done, 1 cut off \("big" at [0-9.]+ [KM]iB of 6.0 MiB\): what has arrived is kept, and the same command goes on from there`

// TestInterruptedInOneLine: what is kept and how to go on is one line, without the words
// of the failure that the signal has made.
func TestInterruptedInOneLine(t *testing.T) {
	for _, scheme := range []string{"sftp", "ftpes"} {
		h := holdLine(t)
		args := h.args(t, scheme)[1:]
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen := make(chan clitest.Seen)
		go func() { seen <- uploader.Run(ctx, t, args...) }()
		clitest.Until(t, "the line is held", h.held)
		clitest.Until(t, "the server has written", h.written)
		cancel()
		if s := (<-seen).Want(t, cli.ExitInterrupted); !regexp.MustCompile(`^` + wasCut + `\n$`).MatchString(s.Err) {
			t.Errorf("%s: %q", scheme, s.Err)
		}
	}
}

// TestPromptInterrupted: at a prompt a signal ends the command too.
func TestPromptInterrupted(t *testing.T) {
	w := clitest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := uploader
	c.Vars = map[string]string{"FTPX_PASSWORD": ""}
	c.Prompt = func(ctx context.Context, question string) (string, error) {
		if question != "Password: " {
			t.Errorf("asked %q", question)
		}
		cancel()
		<-ctx.Done()
		return "", context.Cause(ctx)
	}
	c.Run(ctx, t, w.Flags(os.Args[0], w.URL(""))...).Want(t, cli.ExitInterrupted)
}
