//go:build linux

package trustdrill

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// mostOnLine is how much may cross the line, both ways, over the size of a file whose
// transfer is killed once: what was under way when the process was killed, what is read
// back of a partial, and the overhead of SSH and TLS.
const mostOnLine = 1.02

// mostOnLongLine is that of an upload over SFTP on a long line, where an eighth of the file
// may be under way, and is read back: see docs/limits.md.
const mostOnLongLine = 1.15

// TestKilledOnceOnEmbeddedServers kills a process in the middle of 64 MiB and starts it
// again. The servers offer no hash.
func TestKilledOnceOnEmbeddedServers(t *testing.T) {
	const size = 64 * mib
	data := content(1, size)
	source := local(t, data)
	for _, proto := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP, ftpx.FTPS} {
		for _, op := range []string{"upload", "download"} {
			t.Run(fmt.Sprint(proto, " ", op), func(t *testing.T) {
				d := newEmbedded(t, proto, op, faultproxy.Shape{})
				d.data, d.source = data, source
				if op == "download" {
					if err := os.Link(source, filepath.Join(d.root, "source")); err != nil {
						t.Fatal(err)
					}
				}
				d.within(t, mostOnLine)
			})
		}
	}
	t.Run("SFTP upload, long line", func(t *testing.T) {
		d := newEmbedded(t, ftpx.SFTP, "upload", faultproxy.Shape{UpDelay: 10 * time.Millisecond, DownDelay: 10 * time.Millisecond})
		d.data, d.source = data, source
		d.within(t, mostOnLongLine)
	})
}

// within kills a mover in the middle, and fails the test if more was on the line than that
// share of the file. A machine that is too busy to take what comes leaves it in the buffers
// of a process that is killed, and makes a near server look far: so there are three tries.
func (d *killer) within(t *testing.T, most float64) {
	t.Helper()
	for try := range 3 {
		d.readBack = 0
		d.killAt(t, fmt.Sprint("f", try), int64(len(d.data)/2))
		t.Logf("on the line %.4f x the file, both ways; the payload's way alone %.4f; handed over %.4f; read back %s",
			d.both.last, d.line.last, d.handed.last, inMiB(d.readBack))
		if d.both.last <= most || t.Failed() {
			return
		}
	}
	t.Errorf("more than %.2f x the file was on the line, both ways, three times", most)
}

// newEmbedded starts the servers of testserver behind a line that is slower than either
// end, as lines are.
func newEmbedded(t *testing.T, proto ftpx.Protocol, op string, shape faultproxy.Shape) *killer {
	t.Helper()
	const rate = 64 * mib
	proxy := faultproxy.New(faultproxy.Options{Seed: 1, UpRate: rate, DownRate: rate, Shape: shape})
	ports := proxy.PassivePorts(faultproxy.PassiveOptions{})
	root := t.TempDir()
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: root, PassivePorts: ports, FTP: func(o *testserver.FTPOptions) { o.EnableHASH = false }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(proxy.Close(), trio.Close()); err != nil {
			t.Error(err)
		}
	})
	caFile, _, err := trio.WriteFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &killer{proxy: proxy, root: root, op: op}
	route := faultproxy.RouteOptions{Role: faultproxy.Control, Target: trio.FTP.Addr().String()}
	d.role, d.plan = faultproxy.Data, ports.SetPlan
	if proto == ftpx.SFTP {
		route.Role, route.Target = faultproxy.SSH, trio.SFTP.Addr().String()
	}
	control, err := proxy.Route(route)
	if err != nil {
		t.Fatal(err)
	}
	if proto == ftpx.SFTP {
		d.role, d.plan = faultproxy.SSH, control.SetPlan
	}
	d.account = access{Protocol: uint8(proto), Host: "127.0.0.1", Port: control.Port(), User: trio.User, Password: trio.Password,
		CAFile: caFile, HostKeys: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}}
	return d
}

// A killer kills movers of one server.
type killer struct {
	proxy   *faultproxy.Proxy
	role    faultproxy.Role       // of the connections that carry payload
	plan    func(faultproxy.Plan) // sets their fate
	account access
	root    string // the server's folder
	op      string
	data    []byte
	source  string
	most    float64 // that the payload's way may carry, over the size of the file; 0 for no bound

	runs, anew         int
	line, handed, both ratio
	readBack           int64
}

// ratio collects figures that are shares of a file.
type ratio struct {
	n               int
	sum, most, last float64
}

func (r *ratio) add(x float64) { r.n, r.sum, r.most, r.last = r.n+1, r.sum+x, max(r.most, x), x }

func (r *ratio) average() float64 { return r.sum / float64(max(r.n, 1)) }

// dir is the payload's direction.
func (d *killer) dir() faultproxy.Dir {
	if d.op == "upload" {
		return faultproxy.Up
	}
	return faultproxy.Down
}

// moved is what payload connections carried in the payload's direction, what was
// lost on the way included, and what all connections carried both ways.
func (d *killer) moved() (line, both int64) {
	s, all := d.proxy.Stats(d.role), d.proxy.Stats()
	line = s.Down + s.Dropped
	if d.op == "upload" {
		line = s.Up + s.Dropped
	}
	return line, all.Up + all.Down + all.Dropped
}

// killAt stops the line after n bytes of payload, kills the mover, lets what is
// under way go on, and starts the next mover.
func (d *killer) killAt(t *testing.T, name string, n int64) {
	t.Helper()
	size := float64(len(d.data))
	o := order{Op: d.op, Local: d.source, Remote: name, Account: d.account}
	if d.op == "download" {
		o.Local, o.Remote = filepath.Join(t.TempDir(), name), "source"
	}
	lineBefore, bothBefore := d.moved()
	stalls := d.proxy.Stats(d.role).Stalls
	d.plan(faultproxy.Always(faultproxy.StallAt(d.dir(), n)))
	first := startMover(t, o)
	await(t, fmt.Sprintf("%d bytes of %s", n, name), func() bool {
		select {
		case <-first.gone:
			t.Fatalf("the mover ended before it could be killed: %s", first.out.String())
		default:
		}
		return d.proxy.Stats(d.role).Stalls > stalls
	})
	first.kill()
	d.plan(nil)
	d.proxy.Lift()
	v := startMover(t, o).verdict(t)

	d.runs++
	line, both := d.moved()
	line -= lineBefore
	d.line.add(float64(line) / size)
	d.both.add(float64(both-bothBefore) / size)
	d.handed.add(float64(first.counter.Load()+v.Moved) / size)
	if v.Kept == 0 {
		d.anew++
	}
	if d.op == "upload" {
		d.readBack += v.Received
	}
	file := o.Local
	if d.op == "upload" {
		file = filepath.Join(d.root, name)
	}
	if v.Outcome != "done" || !same(t, file, d.data) {
		t.Errorf("%s: %+v", name, v)
	}
	if d.most > 0 && float64(line) > d.most*size {
		t.Errorf("killed at %s: %s on the line, more than %.2f times the file; handed over %d and %d; %+v", inMiB(n), inMiB(line), d.most, first.counter.Load(), v.Moved, v)
	}
	if d.op == "upload" {
		onlyIn(t, d.root, name)
	} else if left, _ := filepath.Glob(o.Local + ".*"); len(left) > 0 {
		t.Errorf("%s: left behind: %q", name, left)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
