package ftpx_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A stale partial on the standby, of another run, is not taken for the one that was
// complete on the primary: it would be renamed as it is.
func TestStalePartialOnTheStandby(t *testing.T) {
	onPair(t, nil, func(t *testing.T, p *pair, shared bool) {
		if shared {
			return
		}
		data := content(400 << 10)
		p.a.Inject(func(op memconn.OpInfo) memconn.Fault {
			if !rename(op) || op.Step != memconn.StepRequest {
				return memconn.Fault{}
			}
			p.b.Files().Write(op.Path, data[:len(data)/10], time.Now())
			p.a.SetDown(transport.KindUnreachable)
			return memconn.Fault{Do: memconn.LostBefore}
		})
		res, err := p.Put(t.Context(), "f", bytes.NewReader(data), nil)
		if err != nil || res.Outcome != ftpx.Done || res.Size != int64(len(data)) {
			t.Fatalf("%+v, %v", res, err)
		}
		wantOnDisk(t, p.b, map[string][]byte{"f": data})
	})
}

// A rename whose reply was lost, and no look after that, is no word about a receiver who
// has taken the file: the partial may well be there, and a rerun finds it.
func TestOutageAtTheRenameIsNotTaken(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if !rename(op) || op.Step != memconn.StepRequest {
				return memconn.Fault{}
			}
			s.SetDown(transport.KindUnreachable)
			return memconn.Fault{Do: memconn.LostBefore}
		})
		_, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || e.Acknowledged || e.Partial == "" {
			t.Errorf("%+v", e)
		}
	})
}

// What somebody has taken while the rename was lost is named by no partial.
func TestGonePartialIsNotNamed(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Inject(nth(1, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool {
			if !rename(op) || op.Step != memconn.StepRequest {
				return false
			}
			s.Files().Remove(op.Path)
			return true
		}))
		_, err := c.Upload(t.Context(), localFile(t, content(100<<10)), "f", nil)
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || !e.Acknowledged || e.Partial != "" {
			t.Errorf("%+v", e)
		}
	})
}

// An old file that may lie under its backup's name is named where the upload ends there.
func TestBackupIsNamedWhereTheUploadEnds(t *testing.T) {
	inMemory(t, func(_ *memconn.Options, c *transport.Caps) { c.ReplaceOnRename = false }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("f", []byte("old"), time.Now())
		backup := ""
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if rename(op) && op.Step == memconn.StepRequest && strings.HasSuffix(op.Path, ".part") && backup != "" {
				s.SetDown(transport.KindUnreachable)
				return memconn.Fault{Do: memconn.LostBefore}
			}
			if rename(op) && strings.HasSuffix(op.To, ".bak") {
				backup = op.To
			}
			return memconn.Fault{}
		})
		_, err := c.Upload(t.Context(), localFile(t, content(100<<10)), "f", nil)
		if backup == "" || err == nil || !strings.Contains(err.Error(), path.Base(backup)) || strings.Count(err.Error(), path.Base(backup)) != 1 {
			t.Errorf("the old file is kept as %q: %v", backup, err)
		}
	})
}

// A partial that another writer of the same file has renamed meanwhile is no end: what is
// there is looked at anew.
func TestPartialThatAnotherHasRenamed(t *testing.T) {
	for _, at := range []string{"looked at", "renamed"} {
		t.Run(at, func(t *testing.T) {
			inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				data := content(300 << 10)
				done := false
				s.Inject(func(op memconn.OpInfo) memconn.Fault {
					renames := at == "renamed" && rename(op)
					looks := at == "looked at" && (op.Request == "MLST" || op.Request == "SSH_FXP_STAT")
					if got, ok := s.Files().Read(op.Path); done || op.Step != memconn.StepRequest || !renames && !looks || !ok || len(got) != len(data) {
						return memconn.Fault{}
					}
					done = true
					s.Files().Write("f", data, time.Now())
					s.Files().Remove(op.Path)
					return memconn.Fault{}
				})
				res, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
				if err != nil || res.Outcome != ftpx.Done || !done {
					t.Errorf("%+v, %v", res, err)
				}
				wantOnDisk(t, s, map[string][]byte{"f": data})
			})
		})
	}
}

// A name that a rename does not find, and a look does, shows late: another attempt follows.
func TestNameThatTheRenameDoesNotFind(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Inject(nth(1, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNotExist}, func(op memconn.OpInfo) bool {
			return rename(op) && op.Step == memconn.StepRequest
		}))
		res, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
		if err != nil || errors.Is(err, fs.ErrNotExist) || res.Outcome != ftpx.Done {
			t.Errorf("%+v, %v", res, err)
		}
		wantOnDisk(t, s, map[string][]byte{"f": data})
	})
}
