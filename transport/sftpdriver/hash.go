package sftpdriver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// hashRate is how slow a server may be at hashing before it counts as stalled.
const hashRate = 20 << 20

// hashSizes are the algorithms that are asked for, strongest first, and the length
// of their digests.
var hashSizes = []struct {
	name string
	size int
}{{"sha512", 64}, {"sha256", 32}, {"sha1", 20}, {"md5", 16}}

// hashTakes is how long a server may be silent over so many bytes. The number may be the
// server's own, so that there is an end to it.
func hashTakes(n int64) time.Duration {
	return min(time.Duration(min(n/hashRate, math.MaxInt32))*time.Second, 24*time.Hour)
}

// hashesOf reads the value of the extension "check-file", a list of algorithms.
// Who has it and does not say which is asked for these.
func hashesOf(list string) (names []string) {
	if list == "" {
		return []string{"sha512", "sha256", "sha1", "md5"}
	}
	offered := strings.Split(strings.ToLower(list), ",")
	for _, h := range hashSizes {
		if slices.Contains(offered, h.name) {
			names = append(names, h.name)
		}
	}
	return names
}

// prepareHash looks at a request for a digest by check-file-name
// (draft-ietf-secsh-filexfer-extensions-00 section 3), which ProFTPD and commercial
// servers offer, and OpenSSH does not.
func (s *step) prepareHash(q *transport.Hash) {
	s.reads("EXTENDED", q.Path)
	s.rounds = true
	if !s.c.Info().Caps.HasHash(q.Algo) {
		s.bad = s.error(transport.KindUnsupported, 0, fmt.Errorf("the server offers no %s over SFTP", q.Algo))
	}
	s.notNegative("offset", q.Offset)
	if q.Size == 0 {
		// A length of 0 would mean all there is.
		s.refuse(transport.KindUnsupported, errEmptyDigest)
	}
	if s.bad == nil && s.needsSize(q) {
		s.name = "STAT"
	}
}

var errEmptyDigest = errors.New("a digest of nothing cannot be asked for")

// needsSize reports whether the size has to be asked first: it tells how long the answer
// may take, and what to the end means.
func (s *step) needsSize(q *transport.Hash) bool {
	return q.Size < 0 || !s.c.Info().Caps.HashRanges
}

// hash takes the answer to the step's first packet, which may be that to the size.
func (s *step) hash(q *transport.Hash) error {
	answer, n := s.reply, q.Size
	if s.name == "STAT" {
		a, err := s.attrs()
		if err != nil {
			return err
		}
		s.at("EXTENDED", q.Path)
		size := a.entry("", "").Size
		rest := size - q.Offset
		switch {
		case size < 0 || rest < 0:
			return s.error(transport.KindInvalid, 0, fmt.Errorf("there is nothing from byte %d on in a file of %d", q.Offset, size))
		case n >= 0 && n != rest:
			return s.error(transport.KindUnsupported, 0, errors.New("the server hashes to the end of a file only"))
		case rest == 0:
			return s.error(transport.KindUnsupported, 0, errEmptyDigest)
		}
		n = rest
		answer = nil
	}
	watch := wire.WatchOf(s.c.ep)
	if watch.Stall > 0 {
		watch.Stall += hashTakes(n)
	}
	watch.MinRate = 0 // nothing moves while a server reads its disk
	s.watched(watch)
	if answer == nil {
		answer = s.c.pipe.send(fxpExtended, checkFile(q.Path, q.Algo, q.Offset, n))
	}
	sum, err := digest(answer, q.Algo)
	if st := statusOf(err); st != nil && kindOfStatus(s.name, q.Path, st) == transport.KindUnsupported {
		s.c.noHash.Store(true) // announced and not meant
	}
	q.Sum = sum
	return err
}

// checkFile is the body of the request.
func checkFile(p, algo string, offset, n int64) []byte {
	b := putString(putString(putString(nil, "check-file-name"), p), algo)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	return putUint32(b, 0) // one digest, not one for each block
}

// digest reads the answer.
func digest(answer *reply, algo string) ([]byte, error) {
	var used, sum string
	err := answer.parse(fxpExtendedReply, func(r *reader) {
		if kind := r.string(); kind != "check-file" {
			used = kind // an older form without it
		} else {
			used = r.string()
		}
		sum = string(r.b)
	})
	if err == nil && (used != algo || !rightSize(algo, len(sum))) {
		err = fmt.Errorf("%w: asked for %s, the server answered with %d bytes of %q", errMalformed, algo, len(sum), transport.Printable(used))
	}
	if err != nil {
		return nil, err
	}
	return []byte(sum), nil
}

func rightSize(algo string, n int) bool {
	for _, h := range hashSizes {
		if h.name == algo {
			return n == h.size
		}
	}
	return false
}
