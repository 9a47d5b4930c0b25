//go:build linux && realserver

package trustdrill

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

var rclone = setup{"rclone", ftpx.SFTP, realserver.Options{Kind: realserver.Rclone}}

// TestRcloneKeepsLostHandles: "rclone serve sftp" refuses to write at an offset, keeps the
// handles of sessions that were lost, follows them over a rename, and stores what each of
// them has received when it closes it. What was reported as done must still be whole then.
func TestRcloneKeepsLostHandles(t *testing.T) {
	const files, largest = 60, 2_000_000
	r := newRig(t, rclone)
	trees := lessIfShort(40, 2)
	want := make([]map[string][]byte, trees)
	for i := range trees {
		tree := t.TempDir()
		want[i] = smallTree(t, tree, byte(i), files, func(n int) int { return n * largest / files })
		r.control.SetPlan(faultproxy.ResetRate(0.7, 300_000, 3_000_000))
		c := r.client(t)
		report, err := folder.Upload(t.Context(), c, tree, fmt.Sprint("tree", i), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		t.Logf("tree %d: %d files, %d connections lost, %s moved", i, report.Copied, c.Stats().Lost, inMiB(report.Bytes))
	}
	// Nothing tells when the server has closed the last of them.
	time.Sleep(time.Duration(lessIfShort(60, 8)) * time.Second)
	for i := range trees {
		t.Logf("tree %d: %d partials left", i, wantTree(t, r.on(fmt.Sprint("tree", i)), want[i]))
	}
}
