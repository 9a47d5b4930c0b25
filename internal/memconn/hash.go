package memconn

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

var algorithms = map[string]func() hash.Hash{
	"sha512": sha512.New, "sha256": sha256.New, "sha1": sha1.New, "md5": md5.New,
	"crc32": func() hash.Hash { return crc32.NewIEEE() },
}

// hash returns the digest of n bytes of the file from offset on, or of all from
// offset on when n < 0.
func (c *Conn) hash(ctx context.Context, p, algo string, offset, n int64) (sum []byte, err error) {
	err = c.simple(ctx, "Hash", false, func() *refusal {
		file := c.s.files.find(p)
		newHash := algorithms[algo]
		switch {
		case newHash == nil || !c.caps.HasHash(algo), !c.caps.HashRanges && (offset != 0 || n >= 0):
			return no(transport.KindUnsupported, "")
		case file == nil:
			return noSuch
		}
		size := int64(len(file.data))
		if n < 0 {
			n = size - offset
		}
		if file.dir || offset < 0 || n < 0 || offset > size || n > size-offset {
			return no(transport.KindRefused, "")
		}
		h := newHash()
		h.Write(file.data[offset : offset+n])
		sum = h.Sum(nil)
		return nil
	}, p)
	if err != nil {
		return nil, err
	}
	return sum, nil
}
