//go:build linux && realserver

package trustdrill

import (
	"fmt"
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
	line := faultproxy.Options{Seed: 1, UpRate: 64 * mib, DownRate: 64 * mib}
	r := newRigWith(t, s, line)
	size, points := lessIfShort(64, 8)*mib, lessIfShort(25, 3)
	data := content(1, size)
	d := &killer{proxy: r.proxy, role: r.payloadRole(), plan: r.planPayload, account: r.access(), root: r.srv.Root, op: op, data: data, most: mostSent()}
	if op == "upload" {
		d.source = local(t, data)
	} else {
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
	// when it was killed. "Both ways" is all that crossed the line, logins and what was read
	// back included.
	t.Logf("%s of %s, killed at %d points: both ways %.4f x the file on average, %.4f at most; on the line %.4f on average, %.4f at most; handed over %.4f on average, %.4f at most; "+
		"begun anew %d times; read back for proof %s in all",
		op, inMiB(int64(size)), d.runs, d.both.average(), d.both.most, d.line.average(), d.line.most, d.handed.average(), d.handed.most, d.anew, inMiB(d.readBack))
	// ProFTPD discards now and then what had arrived, so that it is the average that counts.
	if !testing.Short() && d.both.average() > mostOnLine {
		t.Errorf("%.4f x the file was on the line on average, both ways; want %.2f at most", d.both.average(), mostOnLine)
	}
}
