package ftpx

import (
	"os"
	"sync"
	"time"
)

// syncer brings what is written of a part to disk from time to time and notes it in the
// sidecar, beside the transfer, so that it costs the line no waiting. Of a part that has
// gaps it notes more often what is there: unlike the length of the file, nothing else
// tells.
type syncer struct {
	quit chan struct{}
	done chan struct{}
	due  chan struct{} // has a token when enough was written to be noted

	mu      sync.Mutex // guards what follows, and the sidecar
	file    *os.File
	part    string
	state   *sidecar
	apart   bool  // there are gaps, or were in this attempt
	unnoted int64 // written since the last note
	most    int64 // that may be
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
func (s *syncer) start(d *download, x *lanes) {
	if d.size < syncBytes {
		return
	}
	s.file, s.part, s.state = d.file, d.part, &d.state
	s.apart, s.unnoted, s.most = d.state.Pieces != nil, 0, min(max(d.size/noteShare, noteLeast), noteMost)
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
				_ = s.note(x.there(), false)
			case <-tick.C:
				s.sync(x)
			}
		}
	}()
}

// sync brings to disk what is there, and then notes it: in this order.
func (s *syncer) sync(x *lanes) {
	there := x.there()
	s.mu.Lock()
	known := s.state.durable()
	s.mu.Unlock()
	if total(common(known, there)) >= total(there) || s.file.Sync() != nil {
		return
	}
	_ = s.note(there, true)
}

func (s *syncer) note(there []byteRange, synced bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.state.durable()
	if synced {
		known = there
	}
	state := s.state.there(there, s.apart).synced(known)
	if err := state.write(s.part); err != nil {
		return err
	}
	*s.state = state
	return nil
}

// split notes that from now on there will be gaps, before there is one.
func (s *syncer) split(there []byteRange) error {
	s.mu.Lock()
	was := s.apart
	s.apart = true
	s.mu.Unlock()
	if was {
		return nil
	}
	err := s.note(there, false)
	if err != nil {
		s.mu.Lock()
		s.apart = false
		s.mu.Unlock()
	}
	return err
}

// written says that n more bytes are there.
func (s *syncer) written(n int64) {
	if s.quit == nil {
		return
	}
	s.mu.Lock()
	s.unnoted += n
	due := s.apart && s.unnoted >= s.most
	if due {
		s.unnoted = 0
	}
	s.mu.Unlock()
	if due {
		select {
		case s.due <- struct{}{}:
		default:
		}
	}
}

func (s *syncer) stop() {
	if s.quit != nil {
		close(s.quit)
		<-s.done
		s.quit = nil
	}
}
