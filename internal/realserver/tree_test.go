//go:build linux

package realserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParentIn(t *testing.T) {
	for stat, want := range map[string]int{
		"12 (sshd) S 7 12 12 0":            7,
		"12 (a) b (c)) R 31 12 12 0":       31,
		"12 (name\nwith lines) S 8 12 0 0": 8,
		"12 (cut":                          0,
		"":                                 0,
	} {
		if got := parentIn([]byte(stat)); got != want {
			t.Errorf("parentIn(%q) = %d; want %d", stat, got, want)
		}
	}
}

// TestTreeReachesSessions kills a family whose grandchild has left the process
// group and the session, as sshd's do.
func TestTreeReachesSessions(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		if os.Getenv("FTPX_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "output.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	fifo := filepath.Join(t.TempDir(), "pid")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	script := `(setsid sh -c 'echo $$ >` + fifo + `; sleep 600'; :) & wait`
	p, err := spawn(command{path: "/bin/sh", args: []string{"-c", script}}, "/", out)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fifo) // waits for the writer
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(grandchild, 0)
	if err != nil {
		t.Fatal(err)
	}
	outsider := &tree{members: []member{{pid: grandchild, fd: fd}}}
	defer outsider.close()

	family, err := freezeTree(p.pid)
	if err != nil {
		t.Fatal(err)
	}
	defer family.close()
	if outsider.wait(0) {
		t.Fatal("the grandchild ended before it was killed")
	}
	family.signal(unix.SIGKILL)
	if !family.wait(5*time.Second) || !outsider.wait(5*time.Second) {
		t.Error("part of the family survived")
	}
	<-p.done
	if p.alive() {
		t.Error("alive after done")
	}
}
