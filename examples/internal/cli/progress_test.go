package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func TestTotalLine(t *testing.T) {
	for _, c := range []struct {
		files, ofFiles int
		at, of         int64
		rate           float64
		want           string
	}{
		{0, 0, 0, 0, 0, "total: 0 files done, 0 B, 0 B/s"},
		{1, 0, 2048, 0, 1024, "total: 1 file done, 2.0 KiB, 1.0 KiB/s"},
		{1, 4, 1 << 20, 4 << 20, 1 << 20, "total: 1 of 4 files, 1.0 MiB of 4.0 MiB (25 %), 1.0 MiB/s, 3s left"},
		{0, 1, 0, 5, 0, "total: 0 of 1 file, 0 B of 5 B (0 %), 0 B/s"},           // no rate, no end
		{1, 1, 9, 5, 9, "total: 1 of 1 file, 5 B of 5 B (100 %), 9 B/s"},         // it has grown
		{0, 3, 0, 0, 0, "total: 0 of 3 files, 0 B of 0 B, 0 B/s"},                // of no size
		{0, 1, 0, 1 << 50, 1, "total: 0 of 1 file, 0 B of 1.0 PiB (0 %), 1 B/s"}, // in a million years
	} {
		if got := totalLine(c.files, c.ofFiles, c.at, c.of, c.rate); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestProgress: what a client's hooks tell is summed up, steps back and failures
// included, and the client's other hooks are still called.
func TestProgress(t *testing.T) {
	var none *Progress
	none.Expect(1, 1)
	none.File(1)
	none.Close()
	if h := none.Hook(nil); h != nil {
		t.Error("hooks out of nothing")
	}
	var out, errs buffer
	env := Env{Stdout: &out, Stderr: &errs, Terminal: true}.Shared()
	p := NewProgress(env)
	retried := 0
	h := p.Hook(&ftpx.Hooks{Retry: func(context.Context, ftpx.RetryInfo) { retried++ }})
	p.Expect(2, 200)
	ends := map[uint64]func(ftpx.OperationEnd){}
	for id := range uint64(3) {
		_, ends[id] = h.Operation(t.Context(), ftpx.OperationInfo{ID: id, Op: "upload"})
	}
	const a, b, unseen = 0, 1, 2
	move := func(id uint64, offset int64) {
		h.Progress(t.Context(), ftpx.ProgressInfo{ID: id, Op: "upload", Remote: "f", Offset: offset, Size: 100})
	}
	move(a, 60)
	move(b, 10)
	move(a, 40) // it was lost, and steps back
	h.Retry(t.Context(), ftpx.RetryInfo{})
	if got := p.total(); !strings.HasPrefix(got, "total: 0 of 2 files, 50 B of 200 B (25 %)") || retried != 1 {
		t.Errorf("%s, %d retries", got, retried)
	}
	ends[b](ftpx.OperationEnd{Err: errors.New("gone")})
	ends[unseen](ftpx.OperationEnd{})
	ends[a](ftpx.OperationEnd{})
	p.File(100)
	if got := p.total(); !strings.HasPrefix(got, "total: 1 of 2 files, 100 B of 200 B (50 %)") {
		t.Error(got)
	}
	p.Close()
	if NewProgress(Env{}) != nil {
		t.Error("progress without a terminal")
	}
}
