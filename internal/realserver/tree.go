//go:build linux

package realserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Servers fork a process or two for each session, and some of those leave the
// process group (sshd), the user (all) or the pid namespace (vsftpd). What they
// all keep is their ancestry as long as the listener lives, so that is what a
// tree goes by.

// A member is one process of a tree, held by a pidfd: signals reach this very
// process or nothing, even when its number was given to another meanwhile.
type member struct {
	pid int
	fd  int
}

// A tree is a server and all its descendants.
type tree struct{ members []member }

// freezeTree stops the process and everything beneath it, so that nothing forks
// away between being listed and being signalled. The caller closes the tree.
func freezeTree(root int) (*tree, error) {
	t := &tree{}
	known := map[int]bool{}
	for pids := []int{root}; len(pids) > 0; {
		for _, pid := range pids {
			known[pid] = true
			fd, err := unix.PidfdOpen(pid, 0)
			if errors.Is(err, unix.ESRCH) {
				continue // ended by itself
			}
			if err != nil {
				t.close()
				return nil, fmt.Errorf("realserver: pidfd_open %d: %w", pid, err)
			}
			t.members = append(t.members, member{pid: pid, fd: fd})
			if err := unix.PidfdSendSignal(fd, unix.SIGSTOP, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
				t.close()
				return nil, fmt.Errorf("realserver: stop process %d: %w", pid, err)
			}
		}
		// A process may have forked before its SIGSTOP arrived: look again until
		// nothing new turns up.
		var err error
		if pids, err = newDescendants(root, known); err != nil {
			t.close()
			return nil, err
		}
	}
	return t, nil
}

// signal sends to every member that still runs.
func (t *tree) signal(sig unix.Signal) {
	for _, m := range t.members {
		// The only failure left is a process that has ended, which is the aim.
		_ = unix.PidfdSendSignal(m.fd, sig, nil, 0)
	}
}

// wait returns true when every member has ended, false when the limit came
// first. A pidfd becomes readable when its process ends.
func (t *tree) wait(limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for _, m := range t.members {
		for {
			left := max(time.Until(deadline), 0)
			fds := []unix.PollFd{{Fd: int32(m.fd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, int(left.Milliseconds()))
			if n > 0 {
				break
			}
			if !errors.Is(err, unix.EINTR) {
				return false
			}
		}
	}
	return true
}

// close gives the descriptors back; the processes stay as they are.
func (t *tree) close() {
	for _, m := range t.members {
		unix.Close(m.fd)
	}
}

// newDescendants lists the processes beneath root that are not known yet.
func newDescendants(root int, known map[int]bool) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	parents := make(map[int]int, len(files))
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		if text, err := os.ReadFile(file); err == nil { // else it ended meanwhile
			parents[pid] = parentIn(text)
		}
	}
	var found []int
	for pid := range parents {
		for up := parents[pid]; up > 0; up = parents[up] {
			if up == root && !known[pid] {
				found = append(found, pid)
			}
			if up == root {
				break
			}
		}
	}
	return found, nil
}

// parentIn takes the parent from a line of /proc/PID/stat: "pid (name) state
// ppid ...", where the name may itself hold blanks and parentheses.
func parentIn(stat []byte) int {
	_, rest, ok := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return ppid
}
