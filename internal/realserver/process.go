//go:build linux

package realserver

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// A command is how to start one server.
type command struct {
	path string
	args []string
	env  []string // added to an environment that is otherwise fixed
	// logStdin puts the log on descriptor 0 too, where servers with an inetd
	// past write what they die of.
	logStdin bool
	// owner runs it in place of root, for servers that do not change their user.
	owner *account
}

// A process is a running server. done is closed when it has ended and been
// reaped; err is valid after that.
type process struct {
	pid  int
	done chan struct{}
	err  error
}

// spawn starts the command with its output going to a file. A file and not a
// pipe: sessions inherit it, and a pipe would keep Wait waiting for the last of
// them.
func spawn(c command, dir string, log *os.File) (*process, error) {
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, c.env...)
	cmd.Stdout, cmd.Stderr = log, log
	if c.logStdin {
		cmd.Stdin = log
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// Keep a Ctrl-C in the terminal for the test binary, which then ends
		// its servers in order.
		Setpgid: true,
		// A test binary that panics or is killed runs no cleanup.
		Pdeathsig: syscall.SIGKILL,
	}
	if c.owner != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(c.owner.uid), Gid: uint32(c.owner.gid)}
	}
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The death signal is tied to the thread that forks, not to the process
		// (prctl(2)), so that thread has to live as long as the server.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// alive reports whether the server has not ended yet.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}
