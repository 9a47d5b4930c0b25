package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
)

// fleetRig is ftpx fleet serve with a partner.
type fleetRig struct {
	t      *testing.T
	c      clitest.Command
	world  *clitest.World
	dir    string
	nats   string
	listen string
}

func startFleet(t *testing.T, more ...string) *fleetRig {
	t.Helper()
	r := &fleetRig{t: t, c: clitest.Command{Main: run}, world: clitest.Start(t), dir: t.TempDir()}
	r.listen = "127.0.0.1:" + clitest.ClosedPort(t)
	r.nats = "nats://" + r.listen
	if err := os.Mkdir(filepath.Join(r.dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, r.dir, map[string]string{"fleet.toml": fmt.Sprintf(`
[fleet]
name = "w1"
[[root]]
name = "out"
path = "out"
[[target]]
name = "acme"
url = "sftp://%s@127.0.0.1:%d"
known_hosts = [%q]
connections = 2
`, clitest.User, r.world.SFTP.Port(), r.world.KnownHosts), "out/a.csv": "content of a", "out/tree/x": "x", "out/tree/sub/y": "y"})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan clitest.Seen, 1)
	ready := &heard{word: "worker w1 is ready", said: make(chan struct{})}
	serve := clitest.Command{Main: func(ctx context.Context, args []string, env cli.Env) int {
		env.Stderr = io.MultiWriter(env.Stderr, ready)
		return run(ctx, args, env)
	}}
	go func() {
		done <- serve.Run(ctx, t, append([]string{"fleet", "serve", "--config", r.config(), "--store", filepath.Join(r.dir, "store"), "--listen", r.listen}, more...)...)
	}()
	t.Cleanup(func() {
		cancel()
		if s := <-done; s.Code != cli.ExitDone {
			t.Errorf("serve ended with %d: %s", s.Code, s.Err)
		}
	})
	select {
	case <-ready.said:
	case s := <-done:
		done <- s
		t.Fatalf("serve has ended: %s", s.Err)
	}
	return r
}

// heard waits for a word in what a command prints.
type heard struct {
	word string
	said chan struct{} // closed when it was printed

	mu   sync.Mutex // guards what follows
	text string
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := strings.Contains(h.text, h.word)
	if h.text += string(p); !was && strings.Contains(h.text, h.word) {
		close(h.said)
	}
	return len(p), nil
}

func (r *fleetRig) config() string { return filepath.Join(r.dir, "fleet.toml") }

// try runs a command of the fleet.
func (r *fleetRig) try(args ...string) clitest.Seen {
	r.t.Helper()
	return r.c.Run(r.t.Context(), r.t, append(append([]string{"fleet", args[0]}, "--nats", r.nats), args[1:]...)...)
}

func (r *fleetRig) atServer(name, want string) {
	r.t.Helper()
	if b, err := os.ReadFile(filepath.Join(r.world.Root, name)); err != nil || string(b) != want {
		r.t.Errorf("%s holds %q, %v", name, b, err)
	}
}

// TestFleet: a job's life by the commands.
func TestFleet(t *testing.T) {
	metrics := "127.0.0.1:" + clitest.ClosedPort(t)
	r := startFleet(t, "--metrics", metrics)
	journal := filepath.Join(r.dir, "journal")
	id := strings.TrimSpace(r.try("submit", "--wait", "--journal", journal, "out:a.csv", "acme:in/a.csv").Want(t, 0).Out)
	r.atServer("in/a.csv", "content of a")
	r.try("submit", "--wait", "--json", "out:a.csv", "acme:in/a.csv").Want(t, 0)
	if s := r.try("status", id); !strings.HasPrefix(s.Out, "done upload out:a.csv to acme:in/a.csv ("+id+")") {
		t.Error(s.Out)
	}
	r.try("submit", "--wait", "-r", "--config", r.config(), "--group", "night", "out:tree", "acme:trees").Want(t, 0)
	r.atServer("trees/sub/y", "y")
	if s := r.try("status", "--group", "night"); strings.Count(s.Out, "done upload") != 2 {
		t.Error(s.Out)
	}
	r.try("submit", "--wait", "acme:in/a.csv", "out:back.csv").Want(t, 0)
	r.try("submit", "--wait", "--mirror", "out:tree", "acme:mirrored").Want(t, 0)
	r.atServer("mirrored/x", "x")
	r.try("submit", "--wait", "--delete", "acme:mirrored/x").Want(t, 0)

	dead := strings.Fields(r.try("submit", "--wait", "out:none", "acme:none").Want(t, cli.ExitSome, "no such file").Out)[0]
	if s := r.try("dead", "acme").Want(t, 0); !strings.Contains(s.Out, dead) {
		t.Error(s.Out)
	}
	clitest.Write(t, filepath.Join(r.dir, "out"), map[string]string{"none": "some"})
	r.try("replay", "--target", "acme").Want(t, 0)
	r.try("submit", "--wait", "out:none", "acme:none").Want(t, 0) // the same job, which it waits for
	if s := r.try("status", dead); !strings.HasPrefix(s.Out, "done") {
		t.Error(s.Out)
	}

	r.try("pause", "--reason", "they move", "acme").Want(t, 0)
	if s := r.try("status"); !strings.Contains(s.Out, "they move") {
		t.Error(s.Out)
	}
	waiting := strings.TrimSpace(r.try("submit", "out:a.csv", "acme:later", "--at", "1h").Want(t, 0).Out)
	r.try("cancel", waiting).Want(t, 0)
	r.try("resume", "acme").Want(t, 0)
	if s := r.try("reconcile", "--journal", journal).Want(t, 0); !strings.HasPrefix(s.Out, "1 jobs: 1 have ended, 0 are known, 0 were lost") {
		t.Error(s.Out)
	}
	var status fleet.Status
	if err := json.Unmarshal([]byte(r.try("status", "--json").Out), &status); err != nil || status.Targets["acme"].Connections != 2 {
		t.Errorf("%+v, %v", status, err)
	}
	for path, want := range map[string]string{"metrics": `ftpx_fleet_jobs{target="acme",class="normal",state="queued"} 0`, "status": `"connections":2`, "ready": ""} {
		res, err := http.Get("http://" + metrics + "/" + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %s %s, %v", path, res.Status, b, err)
		}
	}
	r.try("drain").Want(t, 0)
}

// TestFleetUsage: each mistake is told in a line that says what to write.
func TestFleetUsage(t *testing.T) {
	r := startFleet(t)
	clitest.Write(t, r.dir, map[string]string{
		"unknown.jsonl": `{"op":"upload","source":"out:a","target":"acme","dest":"a","priority":1}`,
		"newer.jsonl":   `{"version":9,"op":"upload"}`,
		"target.jsonl":  `{"op":"upload","source":"out:a","target":"other","dest":"a"}`,
		"root.jsonl":    `{"op":"upload","source":"etc:a","target":"acme","dest":"a"}`,
		"parent.jsonl":  `{"op":"upload","source":"out:../a","target":"acme","dest":"a"}`,
		"past.jsonl":    `{"op":"upload","source":"out:a","target":"acme","dest":"a","deadline":"2001-01-01T00:00:00Z"}`,
		"bad.toml":      "[[target]]\nname = \"A B\"\nurl = \"acme\"\nparallel = 3\n[[root]]\npath = \"x\"\n[fleet]\ntries = 0\n",
		"job.toml":      "[[root]]\nname = \"a\"\npath = \"x\"\n",
	})
	file := func(name string) string { return filepath.Join(r.dir, name) }
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"submit", "-f", file("unknown.jsonl")}, `priority: there is no such field`},
		{[]string{"submit", "-f", file("newer.jsonl")}, "version: 9 is not known"},
		{[]string{"submit", "-f", file("target.jsonl")}, `no worker has a target "other"`},
		{[]string{"submit", "-f", file("root.jsonl")}, `no worker has a root "etc"`},
		{[]string{"submit", "-f", file("parent.jsonl")}, `".."`},
		{[]string{"submit", "-f", file("past.jsonl")}, "deadline: 2001-01-01T00:00:00Z has passed"},
		{[]string{"submit", "-f", file("none")}, "-f: "},
		{[]string{"submit", "out:a"}, "give two places"},
		{[]string{"submit", "a", "b"}, "NAME:PATH"},
		{[]string{"submit", "out:a", "out:b"}, "a root and a target"},
		{[]string{"submit", "out:a", "acme:b", "--class", "high"}, "urgent, normal or bulk"},
		{[]string{"submit", "out:a", "acme:b", "--at", "soon"}, "--at"},
		{[]string{"submit", "-r", "out:a", "acme:b"}, "--config"},
		{[]string{"submit", "out:a", "acme:b", "--journal", file("no/such/folder")}, "--journal"},
		{[]string{"status", "none"}, "no such job"},
		{[]string{"status", "a.b"}, "letters, digits"},
		{[]string{"pause", "other"}, "no worker has such a target"},
		{[]string{"replay"}, "--target"},
		{[]string{"cancel", "none"}, "no such job"},
		{[]string{"work", "--config", file("bad.toml")}, "target.name"},
		{[]string{"work", "--config", file("job.toml")}, "[[target]]"},
		{[]string{"work", "--config", file("none")}, "--config"},
		{[]string{"work", "--config", r.config(), "--metrics", r.listen}, "--metrics"},
	} {
		s := r.try(tt.args...)
		if s.Code != cli.ExitUsage || !strings.Contains(s.Err, tt.want) {
			t.Errorf("%q: %d %s, want %q", tt.args, s.Code, s.Err, tt.want)
		}
	}
	serve := func(args ...string) clitest.Seen {
		return r.c.Run(t.Context(), t, append([]string{"fleet", "serve", "--config", r.config()}, args...)...)
	}
	serve("--store", file("store")).Want(t, cli.ExitUsage, "in use by another server")
	serve("--store", file("s2"), "--listen", r.listen).Want(t, cli.ExitUsage, "address already in use")
	serve("--store", file("s2"), "--listen", "0.0.0.0:0").Want(t, cli.ExitUsage, "not loopback")
	serve("--store", file("s2"), "--check").Want(t, 0)
	r.nats = "nats://127.0.0.1:" + clitest.ClosedPort(t)
	r.try("status").Want(t, cli.ExitConnect, "no engine at")
}
