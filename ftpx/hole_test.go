package ftpx_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A partial whose writer had writes in flight when it died can have a hole well before
// its end. Whoever finds it goes on before the hole, or at the beginning.
const (
	holeSize = 6 << 20          // of the file
	holeHave = 5 << 20          // of the partial
	holeAt   = holeHave - 1<<20 // where the hole ends
	holeLen  = 64 << 10
)

// withHole makes the partial of data that such a writer leaves.
func withHole(data []byte) []byte {
	p := bytes.Clone(data[:holeHave])
	clear(p[holeAt-holeLen : holeAt])
	return p
}

// wantNotContinued checks what an upload made of it.
func wantNotContinued(t *testing.T, res ftpx.Result, err error, cuts bool) {
	t.Helper()
	kept := int64(0)
	if cuts {
		kept = holeAt - holeLen
	}
	if err != nil || res.Outcome != ftpx.Done || res.Kept != kept {
		t.Errorf("%+v, %v: want %d bytes kept", res, err, kept)
	}
}

func TestForeignPartialWithAHole(t *testing.T) {
	data := content(holeSize)
	inMemory(t, func(o *memconn.Options, _ *transport.Caps) { o.Chunk = 256 << 10 }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		local := localFile(t, data)
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Offset >= holeHave {
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNoSpace}
			}
			return memconn.Fault{}
		})
		_, err := c.Upload(t.Context(), local, "f", nil)
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Partial == "" || e.Offset != holeHave {
			t.Fatalf("%+v", err)
		}
		s.Inject(nil)
		s.Files().Write(e.Partial, withHole(data), time.Now())
		res, err := c.Upload(t.Context(), local, "f", nil)
		wantNotContinued(t, res, err, res.Protocol == ftpx.SFTP)
		wantOnDisk(t, s, map[string][]byte{"f": data})
	})
}

func TestForeignPartialWithAHoleOnServers(t *testing.T) {
	data := content(holeSize)
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			root := t.TempDir()
			on := func(disk *testserver.Disk) ftpx.Client {
				trio := startTrio(t, func(o *testserver.TrioOptions) {
					o.Root = root
					o.FTP = func(f *testserver.FTPOptions) { f.Disk, f.EnableHASH = disk, false }
					o.SFTP = func(s *testserver.SFTPOptions) { s.Disk = disk }
				})
				return connect(t, trio, optionsFor(trio, p))
			}
			local := localFile(t, data)
			full := on(testserver.NewDisk(holeHave))
			_, err := full.Upload(t.Context(), local, "f", nil)
			var e *ftpx.Error
			if !errors.As(err, &e) || e.Partial == "" {
				t.Fatalf("%+v", err)
			}
			full.Close()
			if err := os.WriteFile(filepath.Join(root, e.Partial), withHole(data), 0o644); err != nil {
				t.Fatal(err)
			}
			res, err := on(nil).Upload(t.Context(), local, "f", nil)
			wantNotContinued(t, res, err, p == ftpx.SFTP)
			wantFile(t, filepath.Join(root, "f"), data)
			wantNames(t, root, "f")
		})
	}
}

// A source that changes into what somebody has left such a partial of: that is looked at as
// any other that is found, though a partial of the source as it was has been seen before.
func TestSourceThatChangesIntoAPartialWithAHole(t *testing.T) {
	data, before := content(holeSize), content(holeSize+1)
	inMemory(t, func(o *memconn.Options, _ *transport.Caps) { o.Chunk = 256 << 10 }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		local := localFile(t, data)
		at := time.Date(2025, 11, 3, 4, 5, 6, 0, time.UTC)
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Offset >= holeHave {
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNoSpace}
			}
			return memconn.Fault{}
		})
		_, err := c.Upload(t.Context(), local, "f", nil)
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Partial == "" {
			t.Fatalf("%+v", err)
		}
		s.Inject(nil)
		s.Files().Write(e.Partial, withHole(data), time.Now())
		write := func(b []byte, when time.Time) {
			if err := errors.Join(os.WriteFile(local, b, 0o600), os.Chtimes(local, when, when)); err != nil {
				t.Error(err)
			}
		}
		write(before, at.Add(-time.Hour))
		changed := false
		res, err := c.Upload(t.Context(), local, "f", &ftpx.UploadOptions{OnSourceChange: ftpx.SourceChangeRestart, Progress: func(p ftpx.ProgressInfo) {
			if !changed && p.Offset > holeSize/2 {
				changed = true
				write(data, at)
			}
		}})
		if err != nil || !changed || res.Attempts < 2 {
			t.Errorf("%+v, %v", res, err)
		}
		if got, _ := s.Files().Read("f"); !bytes.Equal(got, data) {
			t.Error("it is not what the source is")
		}
	})
}

// A partial that is longer than the source is not of it, whatever it begins with.
func TestForeignPartialThatIsTooLong(t *testing.T) {
	for name, hashes := range map[string]func(*transport.Caps){
		"by tail": func(*transport.Caps) {},
		"by hash": func(c *transport.Caps) { c.Hashes, c.HashRanges = []string{"sha256"}, true },
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(_ *memconn.Options, c *transport.Caps) { hashes(c) }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				data := content(200 << 10)
				local := localFile(t, data)
				s.Inject(nth(1, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNoSpace}, func(op memconn.OpInfo) bool {
					return op.Step == memconn.StepData && op.Offset >= 100<<10
				}))
				_, err := c.Upload(t.Context(), local, "f", nil)
				var e *ftpx.Error
				if !errors.As(err, &e) || e.Partial == "" {
					t.Fatalf("%+v", err)
				}
				s.Files().Write(e.Partial, append(bytes.Clone(data), "more"...), time.Now())
				res, err := c.Upload(t.Context(), local, "f", nil)
				if err != nil || res.Kept != 0 || res.Attempts != 1 {
					t.Errorf("%+v, %v", res, err)
				}
				wantOnDisk(t, s, map[string][]byte{"f": data})
			})
		})
	}
}
