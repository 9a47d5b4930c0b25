package tunnel

import (
	"net"
	"sync"
)

// serving is a listener with its connections.
type serving struct {
	l      net.Listener
	handle func(net.Conn)
	work   sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

func newServing(l net.Listener, handle func(net.Conn)) *serving {
	s := &serving{l: l, handle: handle, conns: map[net.Conn]bool{}}
	s.work.Go(s.accept)
	return s
}

func (s *serving) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			c.Close()
			return
		}
		s.conns[c] = true
		s.work.Go(func() {
			defer func() {
				c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			}()
			s.handle(c)
		})
		s.mu.Unlock()
	}
}

// cut ends every connection and returns how many there were.
func (s *serving) cut() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
	return len(s.conns)
}

func (s *serving) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.l.Close()
	s.cut()
	s.work.Wait()
}
