//go:build linux

package trustdrill

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// orderEnv holds an order in JSON. With it the test binary is no test but a
// mover: a program that moves one file and can be killed while it does.
const orderEnv = "FTPX_DRILL_ORDER"

func TestMain(m *testing.M) {
	if text := os.Getenv(orderEnv); text != "" {
		os.Exit(move(text))
	}
	goleak.VerifyTestMain(testmain.InMemory(m))
}

// access is how to reach a server: all that a client needs, in a form that a
// mover can be given.
type access struct {
	Protocol       uint8 // ftpx.Protocol, whose text form is for people
	Host           string
	Port           int
	User, Password string
	CAFile         string
	ServerName     string
	HostKeys       []string
	Stall          time.Duration
	Rate           int64 // bytes a second, 0 for no limit
}

// at is the access to another address.
func (a access) at(host string) access {
	a.Host = host
	return a
}

func (a access) config() ftpx.Config {
	proto := ftpx.Protocol(a.Protocol)
	return ftpx.Config{Host: a.Host, User: a.User, Options: ftpx.Options{
		Password: ftpx.Secret(a.Password), Protocols: []ftpx.Protocol{proto}, AllowPlaintext: proto == ftpx.FTP,
		Ports:    ftpx.Ports{SFTP: a.Port, FTP: a.Port},
		SSH:      transport.SSH{HostKeyFingerprints: a.HostKeys},
		TLS:      transport.TLS{CAFile: a.CAFile, Config: &tls.Config{ServerName: a.ServerName}},
		Timeouts: ftpx.Timeouts{Stall: a.Stall}, Limits: ftpx.Limits{Rate: a.Rate},
	}}
}

// An order is what a mover is to do.
type order struct {
	Op            string // "upload" or "download"
	Local, Remote string
	Account       access
	// Counter is a file of 8 bytes in which the mover keeps, as it goes, how
	// much payload it has handed over or taken. It is mapped, so that what it
	// says is exact also after SIGKILL.
	Counter string
}

// A verdict is what a mover prints at its end, on one line.
type verdict struct {
	Outcome, Error      string
	Size, Kept, Moved   int64
	Sent, Received      int64 // payload, what was moved again and read back included
	Attempts, Resumes   int
	Verified, ResumedBy string
	ResumedAt           int64
	Duration            time.Duration
	Unchanged           bool
}

// move is the mover's main function.
func move(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Println(err)
		return 2
	}
	counter, err := mapCounter(o.Counter)
	if err != nil {
		fmt.Println(err)
		return 2
	}
	var v verdict
	cfg := o.Account.config()
	cfg.Hooks = &ftpx.Hooks{Resume: func(_ context.Context, i ftpx.ResumeInfo) { v.ResumedBy, v.ResumedAt = i.Proof, i.Offset }}
	ctx := context.Background()
	c, err := ftpx.New(ctx, cfg)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	progress := func(ftpx.ProgressInfo) {
		s := c.Stats()
		if o.Op == "upload" {
			counter.Store(s.BytesSent)
		} else {
			counter.Store(s.BytesReceived)
		}
	}
	var res ftpx.Result
	if o.Op == "upload" {
		res, err = c.Upload(ctx, o.Local, o.Remote, &ftpx.UploadOptions{Progress: progress})
	} else {
		res, err = c.Download(ctx, o.Remote, o.Local, &ftpx.DownloadOptions{Progress: progress})
	}
	s := c.Stats()
	v.Outcome, v.Size, v.Kept, v.Moved, v.Attempts, v.Resumes = res.Outcome.String(), res.Size, res.Kept, res.Moved, res.Attempts, res.Resumes
	v.Sent, v.Received, v.Verified, v.Duration, v.Unchanged = s.BytesSent, s.BytesReceived, res.Verified.String(), res.Duration, res.Unchanged
	if err != nil {
		v.Error = err.Error()
	}
	line, _ := json.Marshal(v) // numbers and strings
	fmt.Println(string(line))
	c.Close()
	return 0
}

// mapCounter maps a counter that other processes see.
func mapCounter(name string) (*atomic.Int64, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(8); err != nil {
		return nil, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*atomic.Int64)(unsafe.Pointer(&b[0])), nil
}

// A mover is a mover that runs.
type mover struct {
	cmd     *exec.Cmd
	out     strings.Builder
	counter *atomic.Int64
	gone    chan struct{} // closed when it has ended
}

// startMover starts a mover; it is killed at the latest when the test ends.
func startMover(t *testing.T, o order) *mover {
	t.Helper()
	o.Counter = t.TempDir() + "/counter"
	counter, err := mapCounter(o.Counter)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	m := &mover{cmd: exec.Command(os.Args[0]), counter: counter, gone: make(chan struct{})}
	m.cmd.Env = append(os.Environ(), orderEnv+"="+string(text))
	m.cmd.Stdout, m.cmd.Stderr = &m.out, &m.out
	m.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(m.gone)
		_ = m.cmd.Wait() // what matters is what it printed
	}()
	t.Cleanup(m.kill)
	return m
}

// kill ends the mover with SIGKILL, as a power cut of the program would.
func (m *mover) kill() {
	_ = m.cmd.Process.Kill() // it may have ended
	<-m.gone
}

// verdict waits for the mover's end and returns what it has to say.
func (m *mover) verdict(t *testing.T) verdict {
	t.Helper()
	select {
	case <-m.gone:
	case <-time.After(waitLimit):
		m.kill()
		t.Fatalf("the mover did not end in %v; it printed %q", waitLimit, m.out.String())
	}
	var v verdict
	if err := json.Unmarshal([]byte(m.out.String()), &v); err != nil {
		t.Fatalf("the mover said %q: %v", m.out.String(), err)
	}
	return v
}
