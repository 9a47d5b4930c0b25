package download

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// digests is what is remembered of the bytes that the writer of a Get has taken,
// which cannot be read again: enough to tell whether the server's file still
// begins with them.
type digests struct {
	own  hash.Hash // sha256, for what is skipped
	algo string    // what the first server with a hash of ranges has, "" for none
	hash hash.Hash // by algo; own, where that is the same
}

// begin makes what is missing, as long as no byte has been taken.
func (d *digests) begin(at int64, caps transport.Caps) {
	if at > 0 {
		return
	}
	d.own = sha256.New()
	d.algo, d.hash = transfer.HashOfRange(caps), nil
	switch d.algo {
	case "":
	case "sha256":
		d.hash = d.own
	default:
		d.hash = transfer.NewHash(d.algo)
	}
}

func (d *digests) write(p []byte) {
	d.own.Write(p)
	if d.hash != nil && d.hash != d.own {
		d.hash.Write(p)
	}
}

// prove compares what the writer has taken with the beginning of the server's
// file, where the server gives a hash of ranges. It returns how they were
// compared, in the words of ResumeInfo.Proof of package ftpx.
func (g *get) prove(ctx context.Context, l *session.Lease) (string, error) {
	const weak = "same size and time"
	caps := l.Info().Caps
	if g.at == 0 || g.taken.hash == nil || !caps.HashRanges || !caps.HasHash(g.taken.algo) {
		return weak, nil
	}
	sum, err := l.Hash(ctx, g.remote, g.taken.algo, 0, g.at)
	switch {
	case err == nil && !bytes.Equal(sum, g.taken.hash.Sum(nil)):
		return "", g.changed()
	case err == nil:
		return g.taken.algo, nil
	case !l.Usable():
		return "", err
	}
	return weak, nil // it offers a hash and does not deliver it
}

// changed ends a Get: what has been written cannot be taken back.
func (g *get) changed() error {
	return retry.Stop(&transport.Error{Op: "get", Path: g.remote, Kind: transport.KindTruncated,
		Err: fmt.Errorf("%w: %d bytes of the old content have been written already", transfer.ErrSourceChanged, g.at)})
}

// skipper leaves out what the writer has taken before, and lets nothing through
// unless that was the same.
type skipper struct {
	left    int64 // still to be left out
	want    *digests
	seen    hash.Hash
	w       io.Writer
	differs bool
}

var errOtherBeginning = errors.New("the file does not begin as it did")

func (s *skipper) Write(p []byte) (int, error) {
	skip := int(min(s.left, int64(len(p))))
	if skip > 0 {
		if s.seen == nil {
			s.seen = sha256.New()
		}
		s.seen.Write(p[:skip])
		if s.left -= int64(skip); s.left == 0 && !bytes.Equal(s.seen.Sum(nil), s.want.own.Sum(nil)) {
			s.differs = true
			return 0, errOtherBeginning
		}
		if skip == len(p) {
			return skip, nil
		}
	}
	n, err := s.w.Write(p[skip:])
	return skip + n, err
}
