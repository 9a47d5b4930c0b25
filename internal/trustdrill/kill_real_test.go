//go:build linux && realserver

package trustdrill

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// killSetups are the servers on which movers are killed.
func killSetups() []setup { return []setup{sshd, vsftpd, vsftpd12, vsftpd13, proftpdS, pureftpdS} }

// mostSent is how much may be sent in total, over the size of the file. What is
// lost is what buffers hold, whatever the size, so that it says nothing about the
// small files of -short.
func mostSent() float64 {
	if testing.Short() {
		return 2
	}
	return 1.05
}

// TestKilledUploadGoesOn kills the sending process at 25 points of a file, each
// time of a new upload, and starts it again: the file is whole, and what both
// processes sent together is at most 1.05 times the file.
func TestKilledUploadGoesOn(t *testing.T) {
	for _, s := range killSetups() {
		t.Run(s.name, func(t *testing.T) { killDrill(t, s, "upload") })
	}
}

// TestKilledDownloadGoesOn is the same for the receiving process.
func TestKilledDownloadGoesOn(t *testing.T) {
	for _, s := range killSetups() {
		t.Run(s.name, func(t *testing.T) { killDrill(t, s, "download") })
	}
}

func killDrill(t *testing.T, s setup, op string) {
	// The line is slower than either end, as lines are: what is sent in vain is
	// what buffers hold, not what a busy machine has no time to read.
	line := faultproxy.Options{Seed: 1, UpRate: 64 * mib}
	if op == "download" {
		line = faultproxy.Options{Seed: 1, DownRate: 64 * mib}
	}
	r := newRigWith(t, s, line)
	size, points := lessIfShort(64, 8)*mib, lessIfShort(25, 3)
	data := content(1, size)
	d := &killer{rig: r, op: op, data: data, dir: faultproxy.Up}
	if op == "upload" {
		d.source = local(t, data)
	} else {
		d.dir = faultproxy.Down
		r.put(t, "source", data)
	}
	for k := 1; k <= points; k++ {
		d.killAt(t, fmt.Sprintf("%s-%02d", op, k), int64(size)*int64(k)/int64(points+1))
		if t.Failed() {
			break
		}
	}
	// Every figure is of both processes together. "On the line": what the proxy
	// took from the sender, with the overhead of TLS or SSH. "Handed over": the
	// payload that left the mover's hands, of which the kernel may have held some
	// when it was killed.
	t.Logf("%s of %s, killed at %d points: on the line %.4f x the file on average, %.4f at most; handed over %.4f on average, %.4f at most; "+
		"begun anew %d times; read back for proof %s in all",
		op, inMiB(int64(size)), d.runs, d.line.average(), d.line.most, d.handed.average(), d.handed.most, d.anew, inMiB(d.readBack))
}

// A killer kills movers of one server.
type killer struct {
	*rig
	op     string
	dir    faultproxy.Dir // of the payload
	data   []byte
	source string

	runs, anew   int
	line, handed ratio
	readBack     int64
}

// ratio collects figures that are shares of a file.
type ratio struct {
	n         int
	sum, most float64
}

func (r *ratio) add(x float64) { r.n, r.sum, r.most = r.n+1, r.sum+x, max(r.most, x) }

func (r *ratio) average() float64 { return r.sum / float64(max(r.n, 1)) }

// moved is what payload connections carried in the payload's direction, what was
// lost on the way included.
func (d *killer) moved() int64 {
	s := d.proxy.Stats(d.payloadRole())
	if d.dir == faultproxy.Up {
		return s.Up + s.Dropped
	}
	return s.Down + s.Dropped
}

// killAt stops the line after n bytes of payload, kills the mover, lets what is
// under way go on, and starts the next mover.
func (d *killer) killAt(t *testing.T, name string, n int64) {
	t.Helper()
	size := int64(len(d.data))
	o := order{Op: d.op, Local: d.source, Remote: name, Account: d.access()}
	if d.op == "download" {
		o.Local, o.Remote = filepath.Join(t.TempDir(), name), "source"
	}
	before, stalls := d.moved(), d.proxy.Stats(d.payloadRole()).Stalls
	d.planPayload(faultproxy.Always(faultproxy.StallAt(d.dir, n)))
	first := startMover(t, o)
	await(t, fmt.Sprintf("%d bytes of %s", n, name), func() bool {
		select {
		case <-first.gone:
			t.Fatalf("the mover ended before it could be killed: %s", first.out.String())
		default:
		}
		return d.proxy.Stats(d.payloadRole()).Stalls > stalls
	})
	first.kill()
	d.planPayload(nil)
	d.proxy.Lift()
	v := startMover(t, o).verdict(t)

	d.runs++
	line, handed := d.moved()-before, first.counter.Load()+v.Moved
	d.line.add(float64(line) / float64(size))
	d.handed.add(float64(handed) / float64(size))
	if v.Kept == 0 {
		d.anew++
	}
	if d.op == "upload" {
		d.readBack += v.Received
	}
	file := o.Local
	if d.op == "upload" {
		file = d.on(name)
	}
	if v.Outcome != "done" || !same(t, file, d.data) {
		t.Errorf("%s: %+v", name, v)
	}
	if most := mostSent() * float64(size); float64(line) > most {
		t.Errorf("killed at %s: %s on the line, more than %.2f times %s; handed over %d and %d; %+v", inMiB(n), inMiB(line), mostSent(), inMiB(size), first.counter.Load(), v.Moved, v)
	}
	if d.op == "upload" {
		d.only(t, name)
	} else if left, _ := filepath.Glob(o.Local + ".*"); len(left) > 0 {
		t.Errorf("%s: left behind: %q", name, left)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
