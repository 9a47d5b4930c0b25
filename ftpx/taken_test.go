package ftpx_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// taker takes files out of a folder, as a receiver does that is told of each.
type taker struct {
	root string
	mu   sync.Mutex
	got  []string // contents
}

func (k *taker) take(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := os.ReadFile(filepath.Join(k.root, name))
	if err == nil && os.Remove(filepath.Join(k.root, name)) == nil {
		k.got = append(k.got, string(b))
	}
}

func (k *taker) taken() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.got
}

// TestTakenAway: a file that was acknowledged and is gone, be it at once or when it is to
// be renamed, is delivered once, and its outcome is unknown.
func TestTakenAway(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		for _, size := range []int{1354, 3 << 20} {
			for _, when := range []string{"closed", "renamed", "looked at"} {
				t.Run(fmt.Sprint(p, size, when), func(t *testing.T) {
					t.Parallel()
					k := &taker{}
					trio := startTrio(t, func(o *testserver.TrioOptions) {
						k.root = o.Root
						stored := ""
						switch when {
						case "closed":
							o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = k.take }
							o.FTP = func(s *testserver.FTPOptions) { s.OnStored = k.take }
						case "looked at": // without MLST
							o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = k.take }
							o.FTP = func(s *testserver.FTPOptions) { s.OnStored, s.Disable = k.take, []string{"MLST", "MLSD"} }
						case "renamed":
							var mu sync.Mutex
							note := func(name string) { mu.Lock(); stored = name; mu.Unlock() }
							o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = note }
							o.FTP = func(s *testserver.FTPOptions) { s.OnStored = note }
							o.Access = func(op testserver.Op, _ string) error {
								if op == testserver.OpRename {
									mu.Lock()
									defer mu.Unlock()
									k.take(stored)
								}
								return nil
							}
						}
					})
					c := ftpx.HurryTaken(connect(t, trio, optionsFor(trio, p)))
					data := content(size)
					res, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
					var e *ftpx.Error
					if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || res.Outcome != ftpx.Unknown || !e.Acknowledged || !errors.Is(err, ftpx.ErrTaken) || e.Offset != int64(size) || e.Partial != "" {
						t.Errorf("%+v, %v", res, err)
					}
					if got := k.taken(); len(got) != 1 || got[0] != string(data) {
						t.Errorf("delivered %d times", len(got))
					}
				})
			}
		}
	}
}

// TestNameThatShowsLate: what shows some time after it was acknowledged is there.
func TestNameThatShowsLate(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			var mu sync.Mutex
			stored, looks := "", 0
			trio := startTrio(t, func(o *testserver.TrioOptions) {
				note := func(name string) { mu.Lock(); stored, looks = "/"+name, 3; mu.Unlock() }
				o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = note }
				o.FTP = func(s *testserver.FTPOptions) { s.OnStored = note }
				o.Access = func(op testserver.Op, name string) error {
					mu.Lock()
					defer mu.Unlock()
					if op == testserver.OpStat && name == stored && looks > 0 {
						looks--
						return os.ErrNotExist
					}
					return nil
				}
			})
			c := connect(t, trio, optionsFor(trio, p))
			res, err := c.Upload(t.Context(), localFile(t, content(1354)), "f", nil)
			if err != nil || res.Attempts != 1 {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}
