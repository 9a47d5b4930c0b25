package transfer

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"io"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// hashes are the algorithms that both sides may know. sha256 comes first because
// processors have instructions for it.
var hashes = []struct {
	name string
	make func() hash.Hash
}{
	{"sha256", sha256.New}, {"sha512", sha512.New}, {"sha1", sha1.New}, {"md5", md5.New},
	{"crc32", func() hash.Hash { return crc32.NewIEEE() }},
}

// HashOf picks an algorithm for a whole file that the server offers, "" if there is none.
// An error in transmission is what it must find, not a forger.
func HashOf(caps transport.Caps) string {
	for _, h := range hashes {
		if caps.HasHash(h.name) {
			return h.name
		}
	}
	return ""
}

// HashOfRange is HashOf for a part of a file.
func HashOfRange(caps transport.Caps) string {
	if !caps.HashRanges {
		return ""
	}
	return HashOf(caps)
}

// NewHash returns a hash by its name in [transport.Caps].
func NewHash(name string) hash.Hash {
	for _, h := range hashes {
		if h.name == name {
			return h.make()
		}
	}
	return nil
}

// Digest is the digest of something here, computed while the server computes its own.
type Digest struct {
	sum chan []byte
	err error
}

// Begin computes the digest of r, which nobody else may use until Sum has returned.
func Begin(algo string, r io.Reader) *Digest {
	d := &Digest{sum: make(chan []byte, 1)}
	go func() {
		h := NewHash(algo)
		if _, err := io.Copy(h, r); err != nil {
			d.err = &transport.LocalError{Err: err}
		}
		d.sum <- h.Sum(nil)
	}()
	return d
}

// Sum waits for the digest. It is called once.
func (d *Digest) Sum() ([]byte, error) {
	sum := <-d.sum
	return sum, d.err
}
