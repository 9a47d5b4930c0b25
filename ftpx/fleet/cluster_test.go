package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// trio are three servers that are one cluster, each of which can be taken away.
type trio struct {
	t      *testing.T
	opts   []*server.Options
	mu     sync.Mutex // guards s
	s      []*server.Server
	urls   []string
	routes []string
}

func startTrio(t *testing.T) *trio {
	t.Helper()
	c := &trio{t: t, s: make([]*server.Server, 3)}
	dir := t.TempDir()
	for i := range 3 {
		c.opts = append(c.opts, &server.Options{ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: freePort(t), JetStream: true, SyncAlways: true,
			StoreDir: filepath.Join(dir, fmt.Sprint(i)), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "fleet", Host: "127.0.0.1", Port: freePort(t)}})
	}
	for _, o := range c.opts {
		c.routes = append(c.routes, fmt.Sprintf("nats://127.0.0.1:%d", o.Cluster.Port))
		c.urls = append(c.urls, fmt.Sprintf("nats://127.0.0.1:%d", o.Port))
	}
	for i := range 3 {
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range 3 {
			c.stop(i)
		}
	})
	return c
}

func (c *trio) start(i int) {
	o := *c.opts[i]
	for k, r := range c.routes {
		if u, err := url.Parse(r); err == nil && k != i {
			o.Routes = append(o.Routes, u)
		}
	}
	s, err := server.NewServer(&o)
	if err != nil {
		c.t.Error(err)
		return
	}
	s.Start()
	c.mu.Lock()
	c.s[i] = s
	c.mu.Unlock()
}

func (c *trio) stop(i int) {
	c.mu.Lock()
	s := c.s[i]
	c.s[i] = nil
	c.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// current reports whether a server has all that the others have.
func (c *trio) current(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s[i] != nil && c.s[i].JetStreamIsCurrent()
}

func (c *trio) connect() *nats.Conn {
	c.t.Helper()
	nc, err := nats.Connect(strings.Join(c.urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.RetryOnFailedConnect(true))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	return nc
}

// TestCluster: three servers, one taken away at a time, and jobs submitted throughout: each that
// was accepted is done.
func TestCluster(t *testing.T) {
	c := startTrio(t)
	r := &rig{t: t, mem: ftpxtest.NewClient(), root: t.TempDir()}
	defer r.mem.Close()
	nc := c.connect()
	// Until there is a leader of everything, the servers refuse.
	r.until("the cluster is laid out", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var err error
		r.f, err = Open(ctx, nc, &Options{Replicas: 3, timing: slower()})
		return err == nil
	})
	r.file("a", "a")
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for range 2 {
		var w *Worker
		r.until("a worker begins", func() bool {
			f, err := Open(ctx, c.connect(), &Options{timing: slower()})
			if err == nil {
				w, err = NewWorker(f, WorkerOptions{Targets: []Target{r.target("acme", 2)}, Roots: []Root{{Name: "out", Path: r.root}}})
			}
			return err == nil
		})
		all.Go(func() { _ = w.Run(ctx) })
	}
	r.until("the target is known", func() bool { ok, _ := r.f.knows(t.Context(), targetKey("acme")); return ok })
	away := make(chan struct{})
	go func() {
		defer close(away)
		for i := range 3 {
			c.stop(i)
			time.Sleep(time.Second)
			c.start(i)
			for !c.current(i) && ctx.Err() == nil {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	var accepted []string
	const enough = 10 // for this to show anything
	for n := 0; ; n++ {
		over := false
		select {
		case <-away:
			over = len(accepted) >= enough
		default:
		}
		if !over {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			receipt, err := r.f.Submit(ctx, Job{ID: fmt.Sprint("j", n), Op: Upload, Source: "out:a", Target: "acme", Dest: fmt.Sprint(n)})
			cancel()
			if err == nil {
				accepted = append(accepted, receipt.ID)
			} else if errors.Is(err, ErrJob) {
				t.Fatal(err)
			} else {
				t.Logf("not accepted: %v", err)
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		break
	}
	t.Logf("%d jobs were accepted", len(accepted))
	for _, id := range accepted {
		r.wait(id, Done)
	}
}

// slower is for a cluster, which takes its time on a busy machine.
func slower() timing {
	t := quick()
	t.ackWait, t.extend, t.fence = 6*time.Second, 1500*time.Millisecond, 4*time.Second
	return t
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
