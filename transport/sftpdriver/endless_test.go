package sftpdriver

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestEndlessEmptyListing: a server that goes on answering without a name is given up.
func TestEndlessEmptyListing(t *testing.T) {
	for name, answer := range map[string][]byte{
		"nothing": binary.BigEndian.AppendUint32(nil, 0),
		"dots":    append(putString(putString(binary.BigEndian.AppendUint32(nil, 1), "."), ""), 0, 0, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, func(f *fake) {
				f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
					if typ == fxpReaddir {
						s.reply(fxpName, id, answer)
					}
					return typ == fxpReaddir
				}
			})
			err := f.dial(nil).List(soon(t), ".", func(transport.Entry) bool { t.Error("an entry"); return true })
			if te := wantKind(t, err, transport.KindProtocol); !strings.Contains(te.Error(), "without a name") {
				t.Error(te)
			}
		})
	}
}

// TestSomeEmptyAnswers between others are no harm.
func TestSomeEmptyAnswers(t *testing.T) {
	n := 0
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
			if typ != fxpReaddir {
				return false
			}
			switch n++; {
			case n > 200:
				s.status(id, fxEOF, "")
			case n%20 == 0:
				s.reply(fxpName, id, append(putString(putString(binary.BigEndian.AppendUint32(nil, 1), "f"), ""), 0, 0, 0, 0))
			default:
				s.reply(fxpName, id, binary.BigEndian.AppendUint32(nil, 0))
			}
			return true
		}
	})
	got := 0
	if err := f.dial(nil).List(soon(t), ".", func(transport.Entry) bool { got++; return true }); err != nil || got != 10 {
		t.Error(got, err)
	}
}
