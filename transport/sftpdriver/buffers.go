package sftpdriver

import (
	"sync"

	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// midBuffer has room for the answer to a read of 32 KiB.
const midBuffer = 36 << 10

// buffers are those of a session's answers: small ones are made, those of a 32 KiB read
// and of a larger one are used again.
type buffers struct{ mid sync.Pool }

func (s *buffers) get(n int) *[]byte {
	var b *[]byte
	switch {
	case n <= 2<<10:
		small := make([]byte, n)
		return &small
	case n > midBuffer:
		b = wire.GetBuffer()
	default:
		var ok bool
		if b, ok = s.mid.Get().(*[]byte); !ok {
			made := make([]byte, midBuffer)
			b = &made
		}
	}
	*b = (*b)[:n]
	return b
}

func (s *buffers) put(b *[]byte) {
	*b = (*b)[:cap(*b)]
	switch cap(*b) {
	case midBuffer:
		s.mid.Put(b)
	case maxPacket:
		wire.PutBuffer(b)
	}
}
