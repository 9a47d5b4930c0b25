package upload

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The end of a file that came too short, because its data connection ended, is no other
// file.
func TestShortLookIsNoOtherFile(t *testing.T) {
	data := []byte("what was put there")
	sum := sha256.Sum256(data)
	short := true
	d := &disk{proto: transport.FTP, files: map[string][]byte{"dest": data}, before: func(r transport.Request) error {
		if get, ok := r.(*transport.Retrieve); ok && short {
			n, err := get.Dst.Write(data[:3])
			get.Received = int64(n)
			return errors.Join(err, errAnswered)
		}
		return nil
	}}
	on(t, d, func(ctx context.Context, l *session.Lease) {
		doubt := &Doubt{host: l.Host, proto: transport.FTP, size: int64(len(data)), tail: sum[:]}
		if err := doubt.Look(ctx, l, "dest"); err == nil || errors.Is(err, ErrReplaced) || transport.KindOf(err) != transport.KindTruncated {
			t.Errorf("short: %v", err)
		}
		short = false
		if err := doubt.Look(ctx, l, "dest"); err != nil {
			t.Errorf("whole: %v", err)
		}
		d.files["dest"] = []byte("what another put up")
		if err := doubt.Look(ctx, l, "dest"); !errors.Is(err, ErrReplaced) {
			t.Errorf("another: %v", err)
		}
	})
}

// An upload that has found its file replaced, and could not send it again, does not know
// what is there.
func TestReplacedAndNotSentAgainIsUnknown(t *testing.T) {
	u := newUpload(t, []byte("data"), nil)
	u.replaced = true
	err := u.failure(&transport.Error{Op: "dial", Kind: transport.KindUnreachable, Err: errors.New("down")})
	var f *Failure
	if !errors.As(err, &f) || !f.Unknown || f.Acknowledged || !errors.Is(err, ErrReplaced) || transport.KindOf(err) != transport.KindUnreachable {
		t.Errorf("%+v", f)
	}
}

// What is sent under its own name has no other to begin again under: a session that was
// lost may still empty it, so that it is looked at again at the end.
func TestBeginningAgainUnderTheSameNameIsDoubtful(t *testing.T) {
	for d, want := range map[Delivery]bool{Atomic: false, Direct: true} {
		u := newUpload(t, []byte("data"), func(s *Spec) { s.Delivery = d })
		u.part.opened = true
		u.nextGeneration()
		on(t, &disk{proto: transport.FTP, files: map[string][]byte{}}, func(_ context.Context, l *session.Lease) {
			u.where.host, u.res.Protocol = l.Host, transport.FTP
			if u.doubtful() != want {
				t.Errorf("delivery %d: doubtful is %v", d, !want)
			}
		})
	}
}

// A CLOSE that fails over SFTP is no file that is there after all, whatever its size: the
// bytes were acknowledged, and not stored.
func TestFailedCloseIsBelieved(t *testing.T) {
	data := []byte("data")
	for proto, want := range map[transport.Protocol]bool{transport.FTP: true, transport.SFTP: false} {
		u := newUpload(t, data, nil)
		d := &disk{proto: proto, files: map[string][]byte{u.part.name: data}}
		on(t, d, func(ctx context.Context, l *session.Lease) {
			p := &put{u: u, l: l, moved: int64(len(data)), stat: &transport.Stat{Entry: transport.Entry{Size: int64(len(data))}}}
			whole, err := p.wholeAfterAll(ctx, &transport.Error{Op: "end", Kind: transport.KindTemporary, Code: 4, Err: errors.New("failure")})
			if err != nil || whole != want {
				t.Errorf("%v: %v, %v", proto, whole, err)
			}
		})
	}
}
