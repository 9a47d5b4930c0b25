package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// resetRate is the share of connections, or of mebibytes on SSH connections,
	// which carry many files, that meet a reset.
	resetRate = 0.127
	// drawn is the share of data connections that is given a reset at some byte;
	// those whose file is shorter live, and resetRate of all are left.
	drawn = 0.45
	// workers are more than connections, so that files wait for them.
	workers = 12
	mib     = 1 << 20
	largest = 4 * mib
	grace   = 3 * time.Millisecond
)

// runMany makes n transfers, a third over each protocol, uploads and downloads
// in turn.
func runMany(ctx context.Context, n int, seed uint64) error {
	var failed error
	for i, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP} {
		share := (n + 2 - i) / 3
		m := &many{proto: p, seed: seed + uint64(i)}
		if err := m.run(ctx, share); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%v: %w", p, err))
		}
	}
	return failed
}

type many struct {
	proto ftpx.Protocol
	seed  uint64

	trio    *testserver.Trio
	proxy   *faultproxy.Proxy
	client  ftpx.Client
	sources []string // local files
	data    [][]byte // what they hold
	dir     string

	whole, wrong, failed        atomic.Int64
	bytes, moved, fromZero      atomic.Int64
	resumes, retries, slowStart atomic.Int64
	positions                   sync.Map // transfer -> *position
}

// position tells whether a transfer has moved since its last retry.
type position struct{ moved atomic.Int64 }

// perMebibyte resets a share of the mebibytes that go over a connection: a
// connection that carries many files meets as many resets as many would.
func perMebibyte(rate float64) faultproxy.Plan {
	return func(info faultproxy.ConnInfo) faultproxy.Fault {
		n := int64(math.Log(1-info.Rand.Float64()) / math.Log(1-rate))
		return resetAfter(n*mib + info.Rand.Int64N(mib) + 4096)
	}
}

// resetAfter resets a connection after so many bytes. The receiver gets a moment
// to read what has arrived, as it has on any line slower than its memory; without
// it, its kernel throws away with the reset all that had come in one burst.
func resetAfter(n int64) faultproxy.Fault {
	fault := faultproxy.ResetAt(faultproxy.Both, n)
	fault.Grace = grace
	return fault
}

func (m *many) run(ctx context.Context, n int) error {
	begin := time.Now()
	if err := m.start(ctx); err != nil {
		return err
	}
	defer m.stop()
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range jobs {
				m.transfer(ctx, i)
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	return m.result(n, time.Since(begin))
}

func (m *many) start(ctx context.Context) (err error) {
	if m.dir, err = os.MkdirTemp("", "badline-*"); err != nil {
		return err
	}
	root := filepath.Join(m.dir, "root")
	if err = os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if err = m.makeSources(); err != nil {
		return err
	}
	m.proxy = faultproxy.New(faultproxy.Options{Seed: m.seed})
	ports := m.proxy.PassivePorts(faultproxy.PassiveOptions{Plan: faultproxy.Sometimes(drawn, 1, largest, resetAfter(0))})
	if m.trio, err = testserver.StartTrio(testserver.TrioOptions{Root: root, PassivePorts: ports}); err != nil {
		return err
	}
	sshRoute, err := m.proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: m.trio.SFTP.Addr().String(), Plan: perMebibyte(resetRate)})
	if err != nil {
		return err
	}
	ftpRoute, err := m.proxy.Route(faultproxy.RouteOptions{Role: faultproxy.Control, Target: m.trio.FTP.Addr().String(),
		Plan: faultproxy.ResetRate(resetRate, 1, 64<<10)})
	if err != nil {
		return err
	}
	m.client, err = ftpx.New(ctx, ftpx.Config{Host: "127.0.0.1", User: m.trio.User, Options: ftpx.Options{
		Password: ftpx.Secret(m.trio.Password), Protocols: []ftpx.Protocol{m.proto}, AllowPlaintext: true,
		Ports: ftpx.Ports{SFTP: sshRoute.Port(), FTP: ftpRoute.Port()},
		SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(m.trio.SFTP.HostKey())}},
		TLS:   transport.TLS{Config: &tls.Config{RootCAs: m.trio.CA.Pool()}},
		Hooks: &ftpx.Hooks{Progress: m.progress, Retry: m.retry, Resume: m.resume},
	}})
	return err
}

// makeSources writes files of 0 B to 4 MiB: every other one as likely to be of
// kilobytes as of megabytes, the rest spread evenly.
func (m *many) makeSources() error {
	r := rand.New(rand.NewPCG(m.seed, 77))
	for i := range 49 {
		size := int(math.Exp(r.Float64()*math.Log(largest))) - 1
		if i%2 == 1 {
			size = r.IntN(largest)
		}
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		name := filepath.Join(m.dir, fmt.Sprintf("source-%d", i))
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
		m.sources, m.data = append(m.sources, name), append(m.data, data)
	}
	return nil
}

func (m *many) stop() {
	if m.client != nil {
		m.client.Close()
	}
	if m.trio != nil {
		m.trio.Close()
	}
	if m.proxy != nil {
		m.proxy.Close()
	}
	os.RemoveAll(m.dir)
}

func (m *many) transfer(ctx context.Context, i int) {
	s := i % len(m.sources)
	var res ftpx.Result
	var err error
	var got string
	if i%2 == 0 {
		name := fmt.Sprintf("up-%d", i)
		got = filepath.Join(m.trio.Root, name)
		res, err = m.client.Upload(ctx, m.sources[s], name, nil)
	} else {
		name := fmt.Sprintf("down-%d", i)
		if err = os.WriteFile(filepath.Join(m.trio.Root, name), m.data[s], 0o644); err == nil {
			got = filepath.Join(m.dir, name)
			res, err = m.client.Download(ctx, name, got, nil)
			os.Remove(filepath.Join(m.trio.Root, name))
		}
	}
	m.moved.Add(res.Moved)
	m.resumes.Add(int64(res.Resumes))
	m.bytes.Add(int64(len(m.data[s])))
	if err != nil {
		m.failed.Add(1)
		fmt.Fprintf(os.Stderr, "%v: transfer %d: %v\n", m.proto, i, err)
		return
	}
	have, rerr := os.ReadFile(got)
	if rerr != nil || !bytes.Equal(have, m.data[s]) {
		m.wrong.Add(1)
		fmt.Fprintf(os.Stderr, "%v: transfer %d reported done and is wrong: %d of %d bytes, %v\n", m.proto, i, len(have), len(m.data[s]), rerr)
	} else {
		m.whole.Add(1)
	}
	os.Remove(got)
}

func (m *many) at(remote string) *position {
	p, _ := m.positions.LoadOrStore(remote, &position{})
	return p.(*position)
}

func (m *many) progress(_ context.Context, i ftpx.ProgressInfo) {
	m.at(i.Remote).moved.Store(1)
}

// resume counts what starting from zero would have to send again.
func (m *many) resume(_ context.Context, i ftpx.ResumeInfo) { m.fromZero.Add(i.Offset) }

func (m *many) retry(_ context.Context, i ftpx.RetryInfo) {
	m.retries.Add(1)
	if m.at(i.Remote).moved.Swap(0) != 0 && i.Delay > 100*time.Millisecond && i.Attempt == 1 {
		m.slowStart.Add(1)
	}
}

// beyond returns what went over the line beyond need, TLS and SSH overhead
// included. It is counted at the proxy: what lies in the sender's kernel when a
// connection is reset has never been on the line.
func (m *many) beyond() int64 {
	role := faultproxy.Data
	if m.proto == ftpx.SFTP {
		role = faultproxy.SSH
	}
	st := m.proxy.Stats(role)
	return st.Up + st.Down - m.bytes.Load()
}

func (m *many) result(n int, took time.Duration) error {
	st := m.proxy.Stats()
	// What is lost with a reset is lost to both.
	extra := m.beyond()
	m.fromZero.Add(extra)
	fmt.Printf("%-5v %5d transfers, %d whole, %d wrong, %d failed; %d connections, %d reset; %d retries, %d resumes\n",
		m.proto, n, m.whole.Load(), m.wrong.Load(), m.failed.Load(), st.Conns, st.Resets, m.retries.Load(), m.resumes.Load())
	share := 0.0
	if m.fromZero.Load() > 0 {
		share = float64(extra) / float64(m.fromZero.Load())
	}
	fmt.Printf("      %d bytes; beyond need %d (%.2f %%); starting from zero would have sent %d (%.2f %%) beyond need: ratio %.2f; %v\n",
		m.bytes.Load(), extra, 100*float64(extra)/float64(m.bytes.Load()), m.fromZero.Load(),
		100*float64(m.fromZero.Load())/float64(m.bytes.Load()), share, took.Round(time.Millisecond))
	switch {
	case m.whole.Load() != int64(n):
		return fmt.Errorf("%d of %d transfers whole", m.whole.Load(), n)
	case st.Resets == 0:
		return errors.New("no connection was reset: nothing has been shown")
	case share >= 1.0/3:
		return fmt.Errorf("beyond need is %.2f of what starting from zero would send, bound 0.33", share)
	case m.slowStart.Load() > 0:
		return fmt.Errorf("%d attempts after one that had moved bytes started later than 100 ms", m.slowStart.Load())
	}
	return nil
}
