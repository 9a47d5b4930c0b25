package wire

import (
	"io"
	"sync"
)

// bufferSize serves reads of a TLS record, a large FTP read and an SFTP packet.
const bufferSize = 256 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// GetBuffer returns a pooled buffer of 256 KiB; give it back with [PutBuffer].
func GetBuffer() *[]byte { return buffers.Get().(*[]byte) }

// PutBuffer returns a buffer to the pool. It must not be used afterwards.
func PutBuffer(b *[]byte) { buffers.Put(b) }

// CopyBuffer copies src to dst through buf, telling moved, if it is not nil,
// of each write that dst accepted. Unlike io.CopyBuffer it never hands the
// work to a ReaderFrom or WriterTo, so that counts and deadlines above and
// below stay in step.
func CopyBuffer(dst io.Writer, src io.Reader, buf []byte, moved func(int64)) (int64, error) {
	var total int64
	for {
		n, rerr := src.Read(buf)
		if n > 0 {
			m, werr := dst.Write(buf[:n])
			total += int64(m)
			if moved != nil && m > 0 {
				moved(int64(m))
			}
			if werr != nil {
				return total, werr
			}
			if m < n {
				return total, io.ErrShortWrite
			}
		}
		if rerr == io.EOF {
			return total, nil
		}
		if rerr != nil {
			return total, rerr
		}
	}
}
