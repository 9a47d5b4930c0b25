//go:build linux

package realserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stopGrace is how long Stop lets sessions end by themselves.
	stopGrace = 5 * time.Second
	// killLimit bounds the wait for processes that have been sent SIGKILL: the
	// kernel ends them at once unless they hang in a system call.
	killLimit = 10 * time.Second
)

// launch starts the process and waits until it listens. The caller holds mu.
func (s *Server) launch(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.logDir(), "output.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("realserver: %w", err)
	}
	defer log.Close() // the server has its own descriptor
	if s.process, err = spawn(s.cmd, s.dir, log); err != nil {
		return fmt.Errorf("%s: %w", s.Kind, err)
	}
	if err := awaitListening(ctx, s.addrPort(), s.process); err != nil {
		return fmt.Errorf("%s %w; its log:\n%s", s.Kind, err, s.Log())
	}
	return nil
}

// Stop ends the server and its sessions with SIGTERM, with SIGKILL what is left
// after five seconds, and returns when the last process is gone. Stopping a
// server that does not run is no error.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(unix.SIGTERM)
}

// Kill ends the server and every session of it with SIGKILL, as a crash of the
// machine would, and returns when the last process is gone: unread data is lost
// and clients see a reset. Killing a server that does not run is no error.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(unix.SIGKILL)
}

// end sends the signal to the whole tree. The caller holds mu.
func (s *Server) end(sig unix.Signal) error {
	if s.process == nil || !s.process.alive() {
		return nil
	}
	t, err := freezeTree(s.process.pid)
	if err != nil {
		return err
	}
	defer t.close()
	t.signal(sig)
	if sig != unix.SIGKILL {
		t.signal(unix.SIGCONT) // a stopped process does not see SIGTERM
		if !t.wait(stopGrace) {
			t.signal(unix.SIGKILL)
		}
	}
	if !t.wait(killLimit) {
		return fmt.Errorf("%s: processes survive SIGKILL", s.Kind)
	}
	<-s.process.done
	return nil
}

// Restart starts the server again on the same ports, with the same keys and the
// same files; a server that still runs is stopped first.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("%s: restart: %w", s.Kind, os.ErrClosed)
	}
	if err := s.end(unix.SIGTERM); err != nil {
		return err
	}
	return s.launch(ctx)
}

// Running reports whether the server's main process lives.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process != nil && s.process.alive()
}

// Close kills the server, gives its ports back and removes its folders, Root
// included unless it came with Options. It may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	err := s.end(unix.SIGKILL)
	if err != nil {
		return err // a live server keeps its ports and files
	}
	s.closed = true
	if s.ports != nil {
		s.ports.release()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// logTail bounds what Log returns of each file.
const logTail = 64 << 10

// Log returns what the server has printed and logged so far, the last 64 KiB of
// each file, for the output of a failing test. Pure-FTPd logs to syslog only;
// of it there are just the finished transfers.
func (s *Server) Log() string {
	files, err := filepath.Glob(filepath.Join(s.logDir(), "*.log"))
	if err != nil {
		return err.Error()
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			continue
		}
		if len(text) > logTail {
			text = text[len(text)-logTail:]
		}
		fmt.Fprintf(&all, "--- %s\n%s", filepath.Base(file), text)
	}
	return all.String()
}
