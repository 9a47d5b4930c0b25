package download

import (
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
)

// checkpoint brings what is written of a part to disk from time to time and notes it in the
// resumeState, beside the transfer, so that it costs the line no waiting. Of a part that has
// gaps it notes more often what is there: unlike the length of the file, nothing else
// tells.
type checkpoint struct {
	quit chan struct{}
	done chan struct{}
	due  chan struct{} // has a token when enough was written to be noted

	apart   atomic.Bool  // there are gaps, or were in this attempt
	unnoted atomic.Int64 // written since the last note
	most    int64        // that may be

	mu    sync.Mutex // guards what follows, and the resumeState
	file  *os.File
	part  string
	state *resumeState
}

const (
	syncEvery = 2 * time.Second
	syncBytes = 32 << 20
	// A process that is killed loses what was not noted of a part with gaps, on each
	// of the connections together: a part in so many of the file, within bounds.
	noteShare = 128
	noteLeast = 1 << 20
	noteMost  = 32 << 20
)

// start begins with x's attempt. Without a size that is known to be large it is not
// worth it: to begin again costs less than to sync small files twice.
func (s *checkpoint) start(d *download, x *streams) {
	if d.size < syncBytes {
		return
	}
	s.file, s.part, s.state = d.local.file, d.local.part, &d.local.state
	s.apart.Store(d.local.state.Segments != nil)
	s.unnoted.Store(0)
	s.most = min(max(d.size/noteShare, noteLeast), noteMost)
	s.quit, s.done, s.due = make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(s.done)
		tick := time.NewTicker(syncEvery)
		defer tick.Stop()
		for {
			select {
			case <-s.quit:
				return
			case <-s.due:
				if there, sure := x.there(); sure {
					_ = s.note(there, false)
				}
			case <-tick.C:
				s.sync(x)
			}
		}
	}()
}

// sync brings to disk what is there, and then notes it: in this order.
func (s *checkpoint) sync(x *streams) {
	there, sure := x.there()
	if !sure {
		return
	}
	s.mu.Lock()
	known := s.state.durable()
	s.mu.Unlock()
	if transfer.Total(transfer.Common(known, there)) >= transfer.Total(there) || s.file.Sync() != nil {
		return
	}
	_ = s.note(there, true)
}

func (s *checkpoint) note(there []transfer.Range, synced bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.state.durable()
	if synced {
		known = there
	}
	state := s.state.there(there, s.apart.Load()).synced(known)
	if err := state.write(s.part); err != nil {
		return err
	}
	*s.state = state
	return nil
}

// split notes that from now on there will be gaps, before there is one.
func (s *checkpoint) split(there []transfer.Range) error {
	if s.apart.Swap(true) {
		return nil
	}
	err := s.note(there, false)
	if err != nil {
		s.apart.Store(false)
	}
	return err
}

// written says that n more bytes are there. It waits for nothing.
func (s *checkpoint) written(n int64) {
	if s.quit == nil {
		return
	}
	if s.unnoted.Add(n) < s.most || !s.apart.Load() {
		return
	}
	s.unnoted.Store(0)
	select {
	case s.due <- struct{}{}:
	default:
	}
}

func (s *checkpoint) stop() {
	if s.quit != nil {
		close(s.quit)
		<-s.done
		s.quit = nil
	}
}
