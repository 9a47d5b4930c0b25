//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// process is a command that is started again whenever it has been killed.
type process struct {
	name string
	args []string
	env  []string
	log  string

	mu  sync.Mutex // guards cmd
	cmd *exec.Cmd
	end chan struct{} // closed when cmd has ended
}

func (p *process) start() error {
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = f, f, append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.end = cmd, end
	p.mu.Unlock()
	go func() {
		_ = cmd.Wait()
		close(end)
	}()
	return nil
}

// ended is closed when the process that runs now has ended.
func (p *process) ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end
}

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Signal(s)
}

// kill ends it as a crash would, and starts it again a moment later.
func (p *process) kill(pause time.Duration) error {
	p.signal(syscall.SIGKILL)
	<-p.ended()
	time.Sleep(pause) // in which the machine is away
	return p.start()
}

// stop ends it for good, if it was started.
func (p *process) stop() {
	p.mu.Lock()
	running := p.cmd != nil
	p.mu.Unlock()
	if running {
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGKILL)
		<-p.ended()
	}
}

// fleet is the engine and its workers.
type fleet struct {
	ftpx    string
	nats    string
	engines []*process // one, or a cluster
	workers []*process
}

func startFleet(dir, ftpx, config, password string) (*fleet, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	f := &fleet{ftpx: ftpx, nats: fmt.Sprintf("nats://127.0.0.1:%d", port)}
	engine := &process{name: "engine", log: filepath.Join(dir, "engine.log"),
		args: []string{ftpx, "fleet", "serve", "--no-worker", "--config", config, "--store", filepath.Join(dir, "store"), "--listen", fmt.Sprintf("127.0.0.1:%d", port)}}
	if err := engine.start(); err != nil {
		return nil, err
	}
	f.engines = []*process{engine}
	f.addWorkers(3, dir, config, password)
	return f, nil
}

// serveFleet starts engine and worker in one process, which is killed with the fleet.
func serveFleet(dir, ftpx, config, password string) (*fleet, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	serve := &process{name: "serve", env: []string{"DRILL_PASSWORD=" + password}, log: filepath.Join(dir, "serve.log"),
		args: []string{ftpx, "fleet", "serve", "--quiet", "--config", config, "--store", filepath.Join(dir, "store"), "--listen", addr}}
	return &fleet{ftpx: ftpx, nats: "nats://" + addr, engines: []*process{serve}}, serve.start()
}

// addWorkers adds workers, which are not started yet.
func (f *fleet) addWorkers(n int, dir, config, password string, more ...string) {
	for i := range n {
		name := fmt.Sprintf("worker%d", i+1)
		w := &process{name: name, env: []string{"DRILL_PASSWORD=" + password}, log: filepath.Join(dir, name+".log"),
			args: append([]string{f.ftpx, "fleet", "work", "--config", config, "--name", name, "--nats", f.nats}, more...)}
		f.workers = append(f.workers, w)
	}
}

// startWorkers starts the workers when the engine answers.
func (f *fleet) startWorkers(ctx context.Context, names ...string) error {
	if err := f.ready(ctx); err != nil {
		return err
	}
	for _, w := range f.workers {
		if err := w.start(); err != nil {
			return err
		}
	}
	return f.ready(ctx, names...)
}

// ready waits until the engine answers, and has heard of targets from a worker.
func (f *fleet) ready(ctx context.Context, names ...string) error {
	for ctx.Err() == nil {
		for _, e := range f.engines {
			select {
			case <-e.ended():
				return fmt.Errorf("%s has ended: see %s", e.name, e.log)
			default:
			}
		}
		out, err := exec.CommandContext(ctx, f.ftpx, "fleet", "status", "--nats", f.nats).Output()
		if err == nil && !slices.ContainsFunc(names, func(name string) bool { return !bytes.Contains(out, []byte("\n"+name+" ")) }) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return context.Cause(ctx)
}

func (f *fleet) stop() {
	for _, p := range append(f.workers, f.engines...) {
		p.stop()
	}
}

// haunt kills and stops workers until ctx ends, and returns how often.
func (f *fleet) haunt(ctx context.Context, rnd *rand.Rand, every time.Duration) (kills, stops int, err error) {
	for every > 0 {
		w := f.workers[rnd.IntN(len(f.workers))]
		select {
		case <-ctx.Done():
			return kills, stops, nil
		case <-time.After(every):
		}
		if rnd.IntN(2) == 0 {
			kills++
			if err := w.kill(time.Second); err != nil {
				return kills, stops, err
			}
			continue
		}
		stops++
		w.signal(syscall.SIGSTOP)
		select { // shorter than AckWait: the sockets of a machine that is gone for longer are not promised
		case <-ctx.Done():
		case <-time.After(time.Duration(1+rnd.IntN(6)) * time.Second):
		}
		w.signal(syscall.SIGCONT)
	}
	return 0, 0, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func chownLike(info os.FileInfo, names ...string) error {
	st := info.Sys().(*syscall.Stat_t)
	for _, name := range names {
		if err := os.Chown(name, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return nil
}
