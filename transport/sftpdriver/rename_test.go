package sftpdriver

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// refusesPosix has a fake refuse posix-rename@openssh.com while code is not 0, and carry it
// out otherwise.
func refusesPosix(f *fake, code *atomic.Uint32) {
	f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
		if typ == fxpExtended {
			s.status(id, code.Load(), "no")
		}
		return typ == fxpExtended
	}
}

// TestPosixRenameRefused: an extension that is offered and refused, in whatever words,
// gives way to the plain request, on this connection and on those to come.
func TestPosixRenameRefused(t *testing.T) {
	for _, code := range []uint32{fxOpUnsupported, fxFailure, fxPermissionDenied, fxBadMessage} {
		t.Run(statusName(code), func(t *testing.T) {
			var says atomic.Uint32
			says.Store(code)
			f := newFake(t, func(f *fake) { refusesPosix(f, &says) })
			learned := &transport.Learned{}
			for i := range 2 {
				c := f.dial(func(ep *transport.Endpoint) { ep.Learned = learned })
				for range 2 {
					if err := c.Rename(t.Context(), "a", "b", true); err != nil {
						t.Fatal(err)
					}
				}
				if c.Info().Caps.ReplaceOnRename {
					t.Error("ReplaceOnRename still claimed")
				}
				if n, plain := f.packets("EXTENDED"), f.packets("RENAME"); n != 1 || plain != 2*(i+1) {
					t.Errorf("%d and %d requests", n, plain)
				}
			}
		})
	}
	f := newFake(t, func(f *fake) { f.extensions = nil })
	if c := f.dial(nil); c.Info().Caps.ReplaceOnRename {
		t.Error("ReplaceOnRename without the extension")
	}
}

// TestPosixRenameMeant: a server that has carried one out means it when it refuses another.
func TestPosixRenameMeant(t *testing.T) {
	var says atomic.Uint32
	f := newFake(t, func(f *fake) { refusesPosix(f, &says) })
	c := f.dial(nil)
	if err := c.Rename(t.Context(), "a", "b", true); err != nil {
		t.Fatal(err)
	}
	says.Store(fxFailure)
	wantKind(t, c.Rename(t.Context(), "a", "b", true), transport.KindTemporary)
	if n := f.packets("RENAME"); n != 0 || !c.Info().Caps.ReplaceOnRename {
		t.Error(n)
	}
}

// TestPosixRenameRefusedTwice: where both ways are refused, the one that tells a reason is
// told.
func TestPosixRenameRefusedTwice(t *testing.T) {
	for plain, want := range map[uint32]transport.Kind{
		11: transport.KindExist, fxOpUnsupported: transport.KindTemporary, fxNoSuchFile: transport.KindTemporary, fxPermissionDenied: transport.KindPermission,
	} {
		f := newFake(t, func(f *fake) {
			f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
				switch typ {
				case fxpExtended:
					s.status(id, fxFailure, "")
				case fxpRename:
					s.status(id, plain, "")
				default:
					return false
				}
				return true
			}
		})
		c := f.dial(nil)
		wantKind(t, c.Rename(t.Context(), "a", "b", true), want)
		if !c.Usable() || !c.Info().Caps.ReplaceOnRename {
			t.Error("the extension was given up for nothing")
		}
	}
}

// TestNothingBehindADoubtfulRename: what stands behind a rename in a batch is answered of
// what the rename has left, in whichever way it was done: a question that has left with it is
// asked again.
func TestNothingBehindADoubtfulRename(t *testing.T) {
	var says atomic.Uint32
	says.Store(fxFailure)
	var order []string
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
			if typ != fxpInit {
				order = append(order, packetNames[typ])
			}
			if typ == fxpExtended {
				s.status(id, says.Load(), "")
			}
			return typ == fxpExtended
		}
	})
	c := f.dial(nil)
	rename, look, remove := &transport.Rename{From: "a", To: "b", Replace: true}, &transport.Stat{Path: "b"}, &transport.Remove{Path: "a"}
	if err := c.Do(t.Context(), transport.NewBatch(rename, look, remove)); err != nil || rename.Err != nil {
		t.Fatal(err, rename.Err)
	}
	if want := []string{"EXTENDED", "STAT", "RENAME", "STAT", "REMOVE"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}

// TestWhatIsNotSentStandsInNoWay: a request behind a doubtful rename that cannot be sent, for
// its name, has not acted.
func TestWhatIsNotSentStandsInNoWay(t *testing.T) {
	var says atomic.Uint32
	says.Store(fxOpUnsupported)
	f := newFake(t, func(f *fake) { refusesPosix(f, &says) })
	c := f.dial(nil)
	rename, bad := &transport.Rename{From: "a", To: "b", Replace: true}, &transport.Mkdir{Path: "x\ny"}
	if err := c.Do(t.Context(), transport.NewBatch(rename, bad)); err != nil || rename.Err != nil || bad.Err == nil {
		t.Errorf("%v: rename %v, what cannot be sent %v", err, rename.Err, bad.Err)
	}
}
