package folder_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// TestInABubble: a job ends under testing/synctest, whose clock stands still while
// anybody waits for a mutex.
func TestInABubble(t *testing.T) {
	local := t.TempDir()
	files := map[string]string{}
	for i := range 400 {
		files[fmt.Sprintf("d%d/f%03d", i%3, i)] = "x"
	}
	write(t, local, files)
	synctest.Test(t, func(t *testing.T) {
		c := ftpxtest.NewClient(ftpxtest.WithRoundTrip(40 * time.Millisecond))
		defer c.Close()
		begin := time.Now()
		report, err := folder.Upload(t.Context(), c, local, "in", nil)
		if err != nil || report.Copied != len(files) {
			t.Errorf("%+v, %v", report, err)
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
