package sftpdriver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// hashRate is how slow a server may be at hashing before it counts as stalled.
const hashRate = 20 << 20

// hashSizes are the algorithms that are asked for, strongest first, and the length
// of their digests.
var hashSizes = []struct {
	name string
	size int
}{{"sha512", 64}, {"sha256", 32}, {"sha1", 20}, {"md5", 16}}

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

// Hash asks for a digest with check-file-name (draft-ietf-secsh-filexfer-extensions-00
// section 3), which ProFTPD and commercial servers offer, and OpenSSH does not.
func (c *Conn) Hash(ctx context.Context, p, algo string, offset, n int64) ([]byte, error) {
	const op = "SSH_FXP_EXTENDED"
	if !c.Info().Caps.HasHash(algo) {
		return nil, c.ep.Fail(op, p, transport.KindUnsupported, fmt.Errorf("the server offers no %s over SFTP", algo))
	}
	if offset < 0 {
		return nil, c.ep.Fail(op, p, transport.KindInvalid, fmt.Errorf("offset %d is negative", offset))
	}
	if ranges := c.Info().Caps.HashRanges; n < 0 || !ranges {
		// The size tells how long the answer may take, and what to the end means.
		entry, err := c.Stat(ctx, p)
		if err != nil {
			return nil, err
		}
		rest := entry.Size - offset
		if entry.Size < 0 || rest < 0 {
			return nil, c.ep.Fail(op, p, transport.KindInvalid, fmt.Errorf("there is nothing from byte %d on in a file of %d", offset, entry.Size))
		}
		if n >= 0 && n != rest {
			return nil, c.ep.Fail(op, p, transport.KindUnsupported, errors.New("the server hashes to the end of a file only"))
		}
		n = rest
	}
	if n == 0 {
		// A length of 0 would mean all there is.
		return nil, c.ep.Fail(op, p, transport.KindUnsupported, errors.New("a digest of nothing cannot be asked for"))
	}
	watch := c.ep.Watch()
	if watch.Stall > 0 {
		watch.Stall += time.Duration(n/hashRate) * time.Second
	}
	watch.MinRate = 0 // nothing moves while a server reads its disk
	k, err := c.beginWatched(ctx, watch, "EXTENDED", false, p)
	if err != nil {
		return nil, err
	}
	b := putString(putString(putString(nil, "check-file-name"), p), algo)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	b = binary.BigEndian.AppendUint32(b, 0) // one digest, not one for each block
	var used, sum string
	err = c.pipe.send(fxpExtended, b).parse(fxpExtendedReply, func(r *reader) {
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
	if err = k.end(err); err != nil {
		if transport.KindOf(err) == transport.KindUnsupported {
			c.noHash.Store(true) // announced and not meant
		}
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
