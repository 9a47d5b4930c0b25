package ftpx_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func retr(op memconn.OpInfo) bool {
	return op.Step == memconn.StepRequest && (op.Request == "RETR" || op.Request == "SSH_FXP_OPEN")
}

// noRest breaks the line once at a place and refuses every second and later
// request that is, on such a server, one at an offset. meanwhile runs at the loss.
func noRest(at int64, offsets func(opens int) bool, meanwhile func()) memconn.Injector {
	opens := 0
	lost := nth(1, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool {
		return op.Step == memconn.StepData && op.Offset >= at
	})
	return func(op memconn.OpInfo) memconn.Fault {
		f := lost(op)
		if f.Do != memconn.Pass && meanwhile != nil {
			meanwhile()
		}
		if retr(op) {
			if opens++; offsets(opens) {
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindRestart}
			}
		}
		return f
	}
}

func second(opens int) bool { return opens == 2 }

// A server without REST: Get begins again and leaves out what was written.
func TestGetWithoutRestart(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(200<<10 + 7)
		s.Files().Write("f", data, time.Now())
		s.Inject(noRest(96<<10, second, nil))
		var b bytes.Buffer
		res, err := c.Get(t.Context(), "f", &b, nil)
		if err != nil || !bytes.Equal(b.Bytes(), data) || res.Moved != int64(len(data))+96<<10 || !res.Verified.Size {
			t.Errorf("%d bytes, %+v %v", b.Len(), res, err)
		}
	})
}

// The same, and the line breaks again while it skips; what it skips is garbled
// once.
func TestGetWithoutRestartAndMoreTrouble(t *testing.T) {
	for _, do := range []memconn.Action{memconn.LostBefore, memconn.Corrupt, memconn.CutShort, memconn.ShortWrite} {
		inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data := content(200 << 10)
			s.Files().Write("f", data, time.Now())
			rest := noRest(96<<10, second, nil)
			again := nth(2, memconn.Fault{Do: do}, func(op memconn.OpInfo) bool {
				return op.Step == memconn.StepData && op.Offset == 32<<10
			})
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				f, g := rest(op), again(op)
				if f.Do == memconn.Pass {
					return g
				}
				return f
			})
			var b bytes.Buffer
			if res, err := c.Get(t.Context(), "f", &b, nil); err != nil || !bytes.Equal(b.Bytes(), data) {
				t.Errorf("%v: %d bytes, %+v %v", do, b.Len(), res, err)
			}
		})
	}
}

// The file is another one now, with the same size and time: it is noticed where
// it is skipped, or where the server has a hash, and w holds nothing but the
// beginning of the old one.
func TestGetOfAFileThatChangesUnseen(t *testing.T) {
	for _, hashes := range [][]string{nil, {"sha256"}, {"md5"}} {
		inMemory(t, func(_ *memconn.Options, caps *transport.Caps) {
			caps.Hashes, caps.HashRanges = hashes, hashes != nil
		}, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data, when := content(200<<10), time.Now()
			other := bytes.Clone(data)
			other[50<<10] ^= 1
			s.Files().Write("f", data, when)
			s.Inject(noRest(96<<10, func(n int) bool { return hashes == nil && second(n) }, func() { s.Files().Write("f", other, when) }))
			var b bytes.Buffer
			res, err := c.Get(t.Context(), "f", &b, nil)
			if !errors.Is(err, ftpx.ErrSourceChanged) || res.Outcome != ftpx.NotDone || !bytes.Equal(b.Bytes(), data[:96<<10]) {
				t.Errorf("%v: %d bytes, %+v %v", hashes, b.Len(), res, err)
			}
		})
	}
}

// An unchanged file goes on by its hash, which is what the hook is told.
func TestGetIsProvenByHash(t *testing.T) {
	for _, algo := range []string{"sha256", "crc32"} {
		inMemory(t, func(_ *memconn.Options, caps *transport.Caps) {
			caps.Hashes, caps.HashRanges = []string{algo}, true
		}, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data := content(200 << 10)
			s.Files().Write("f", data, time.Now())
			hashed := 0
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				if op.Step == memconn.StepRequest && (op.Request == "HASH" || op.Request == "SSH_FXP_EXTENDED") {
					hashed++
				}
				if op.Step == memconn.StepData && op.Offset == 96<<10 && hashed == 0 {
					return memconn.Fault{Do: memconn.LostBefore}
				}
				return memconn.Fault{}
			})
			var b bytes.Buffer
			res, err := c.Get(t.Context(), "f", &b, nil)
			if err != nil || !bytes.Equal(b.Bytes(), data) || hashed != 1 || res.Moved != int64(len(data)) {
				t.Errorf("%d hashes, %+v %v", hashed, res, err)
			}
		})
	}
}
