package folder

import (
	"testing"
	"testing/synctest"
)

// TestQueueBoundsLargeFiles: the largest go first, no more of them at once than allowed,
// and small ones do not wait behind them.
func TestQueueBoundsLargeFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(10, 2)
		for _, size := range []int64{smallFile, 3 << 20, 1, smallFile + 1, 2 << 20} {
			q.push(&task{size: size})
		}
		q.finish()
		var large []*task
		for _, want := range []int64{3 << 20, 2 << 20, smallFile, 1} {
			got := q.pop()
			if got == nil || got.size != want {
				t.Fatalf("%+v, want %d", got, want)
			}
			if want > smallFile {
				large = append(large, got)
			} else {
				q.done(got)
			}
		}
		last := make(chan *task)
		go func() { last <- q.pop(); last <- q.pop() }()
		synctest.Wait()
		select {
		case got := <-last:
			t.Fatalf("%+v before another was done", got)
		default:
		}
		q.done(large[0])
		if got := <-last; got == nil || got.size != smallFile+1 {
			t.Errorf("%+v", got)
		}
		if got := <-last; got != nil {
			t.Errorf("%+v after the last", got)
		}
	})
}
