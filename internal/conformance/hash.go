package conformance

import (
	"bytes"
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

func caseHash(e *env) {
	const size = 300_001
	data := random(size)
	e.put(e.at("f"), data)
	e.put(e.at("two words"), data[:1000])
	e.put(e.at("empty"), nil)
	caps := e.c.Info().Caps
	for _, algo := range []string{"sha256", "rot13"} {
		if !caps.HasHash(algo) {
			_, err := e.c.Hash(e.ctx, e.at("f"), algo, 0, -1)
			e.fails("Hash by "+algo+", which is not offered", err, transport.KindUnsupported)
			e.inStep("Hash that is not offered")
		}
	}
	for _, algo := range caps.Hashes {
		e.sub(algo, func(e *env) {
			check := func(name string, data []byte, offset, n int64) {
				e.Helper()
				part := data[offset:]
				if n >= 0 {
					part = part[:n]
				}
				h := algorithms[algo]()
				h.Write(part)
				sum, err := e.c.Hash(e.ctx, e.at(name), algo, offset, n)
				if err != nil || !bytes.Equal(sum, h.Sum(nil)) {
					e.Errorf("%s of %q from %d, %d bytes: %x, %v, want %x", algo, name, offset, n, sum, err, h.Sum(nil))
				}
			}
			check("f", data, 0, -1)
			check("two words", data[:1000], 0, -1)
			check("empty", nil, 0, -1)
			if caps.HashRanges {
				for _, r := range []struct{ offset, n int64 }{
					{0, 1}, {0, 1000}, {0, size - 1}, {0, size}, {1, 1}, {1000, 70_000}, {size - 1, 1}, {1000, size - 1000}, {1000, -1}, {size - 1, -1},
				} {
					check("f", data, r.offset, r.n)
				}
				check("two words", data[:1000], 500, 100)
			}
			// The next transfer is not a part because a hash was of one.
			e.fetch(e.at("f"), 0, nil, data)
			_, err := e.c.Hash(e.ctx, e.at("missing"), algo, 0, -1)
			e.fails("Hash of a missing file", err, refused...)
			e.inStep("Hash")
		})
	}
}
