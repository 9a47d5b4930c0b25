package ftpx_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// partner is a folder of a kind that partners have.
type partner struct {
	name string
	// denied are the operations that it refuses.
	denied []testserver.Op
	// takes: a receiver takes each file away as it is closed.
	takes bool
	// refused is what the default delivery names, "" where that works.
	refused string
	// left: it can remove nothing, so that what was begun stays.
	left bool
}

var partners = []partner{
	{name: "write-only", denied: []testserver.Op{testserver.OpStat, testserver.OpList, testserver.OpRead, testserver.OpRename, testserver.OpSet, testserver.OpRemove, testserver.OpMkdir},
		refused: "look", left: true},
	{name: "no look", denied: []testserver.Op{testserver.OpStat, testserver.OpList, testserver.OpRead}, refused: "look"},
	{name: "no rename", denied: []testserver.Op{testserver.OpRename}, refused: "rename"},
	{name: "no reading", denied: []testserver.Op{testserver.OpRead, testserver.OpList, testserver.OpSet}},
	{name: "taken at close", takes: true, refused: "keep"},
}

// arrivals are the files that a server was given, by their contents.
type arrivals struct {
	root  string
	takes bool
	mu    sync.Mutex
	got   map[string]int
}

func (a *arrivals) stored(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, err := os.ReadFile(filepath.Join(a.root, name))
	if err != nil {
		return
	}
	if a.got == nil {
		a.got = map[string]int{}
	}
	a.got[string(b)]++
	if a.takes {
		_ = os.Remove(filepath.Join(a.root, name))
	}
}

func (a *arrivals) times(content []byte) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got[string(content)]
}

func startPartner(t *testing.T, k partner) (*testserver.Trio, *arrivals) {
	a := &arrivals{takes: k.takes}
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		a.root = o.Root
		o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = a.stored }
		o.FTP = func(s *testserver.FTPOptions) { s.OnStored = a.stored }
		o.Access = func(op testserver.Op, name string) error {
			for _, d := range k.denied {
				if op == d && (op == testserver.OpList || name != "/" && name != "/dir") { // a listing would show the file
					return os.ErrPermission
				}
			}
			return nil
		}
	})
	return trio, a
}

// TestDelivery: each kind of partner's folder takes a file once, whole, with Direct or
// Drop; with the default it takes it, or the upload ends after one attempt, names the
// option, and leaves nothing behind.
func TestDelivery(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP, ftpx.FTPS} {
		for _, k := range partners {
			for _, size := range []int{0, 1354, 1 << 20} {
				for _, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect, ftpx.DeliverDrop} {
					t.Run(fmt.Sprint(p, "/", k.name, "/", size, "/", d), func(t *testing.T) {
						t.Parallel()
						trio, a := startPartner(t, k)
						c := ftpx.HurryTaken(connect(t, trio, optionsFor(trio, p)))
						data := content(size)
						res, err := c.Upload(t.Context(), localFile(t, data), "s.csv", &ftpx.UploadOptions{Delivery: d})
						if res.Attempts != 1 {
							t.Errorf("%d attempts", res.Attempts)
						}
						switch {
						case d == ftpx.DeliverAtomic && k.refused != "":
							wantRefused(t, trio, k, a, data, err)
							return
						case d == ftpx.DeliverDirect && k.takes && p != ftpx.SFTP:
							if !errors.Is(err, ftpx.ErrTaken) || res.Outcome != ftpx.Unknown {
								t.Errorf("a 226 alone was believed: %+v, %v", res, err)
							}
						case err != nil || res.Outcome != ftpx.Done || res.Size != int64(size):
							t.Errorf("%+v, %v", res, err)
						}
						if n := a.times(data); n != 1 {
							t.Errorf("delivered %d times", n)
						}
						if !k.takes {
							wantNames(t, trio.Root, "s.csv")
							wantFile(t, filepath.Join(trio.Root, "s.csv"), data)
						}
						shown := !k.takes && k.refused != "look"
						if err == nil && (res.Verified.Size != (shown && d != ftpx.DeliverDrop) || res.Verified.Acknowledged == res.Verified.Size) {
							t.Errorf("verified: %+v", res.Verified)
						}
					})
				}
			}
		}
	}
}

func wantRefused(t *testing.T, trio *testserver.Trio, k partner, a *arrivals, data []byte, err error) {
	t.Helper()
	var e *ftpx.Error
	var r *ftpx.DeliveryError
	if !errors.As(err, &e) || !errors.As(err, &r) || r.What != k.refused || !strings.Contains(err.Error(), "Delivery") {
		t.Fatalf("want that %s is refused: %v", k.refused, err)
	}
	if k.takes {
		if e.Outcome != ftpx.Unknown || !e.Acknowledged || a.times(data) != 1 {
			t.Errorf("%+v, delivered %d times", e, a.times(data))
		}
		return
	}
	if e.Outcome != ftpx.NotDone || (e.Partial != "") != (k.left && len(data) > 0) {
		t.Errorf("%+v", e)
	}
	if !k.left {
		wantNames(t, trio.Root)
	}
}

// TestDropIntoFoldersToBeMade: with CreateDirs, folders are made where the file is refused
// for want of them, without a look at any.
func TestDropIntoFoldersToBeMade(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			k := partner{denied: []testserver.Op{testserver.OpStat, testserver.OpList, testserver.OpRead, testserver.OpRename, testserver.OpSet, testserver.OpRemove}}
			trio, _ := startPartner(t, k)
			c := connect(t, trio, optionsFor(trio, p))
			data := content(1354)
			o := &ftpx.UploadOptions{Delivery: ftpx.DeliverDrop}
			if res, err := c.Upload(t.Context(), localFile(t, data), "new/deep/f", o); err == nil || res.Outcome != ftpx.NotDone {
				t.Errorf("%+v, %v", res, err)
			}
			o.CreateDirs = true
			if res, err := c.Upload(t.Context(), localFile(t, data), "new/deep/f", o); err != nil {
				t.Errorf("%+v, %v", res, err)
			}
			wantFile(t, filepath.Join(trio.Root, "new/deep/f"), data)
		})
	}
}

// TestDropLosesItsFinalReply: all was sent and the last word lost: it is not sent again.
func TestDropLosesItsFinalReply(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		for _, size := range []int{1354, 1 << 20} {
			t.Run(fmt.Sprint(p, size), func(t *testing.T) {
				a := &arrivals{takes: true}
				var trio *testserver.Trio
				trio = startTrio(t, func(o *testserver.TrioOptions) {
					a.root = o.Root
					// Who has it is told before the client is.
					stored := func(name string) { a.stored(name); trio.SFTP.CutSessions(); trio.FTP.CutSessions() }
					o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = stored }
					o.FTP = func(s *testserver.FTPOptions) { s.OnStored = stored }
				})
				c := connect(t, trio, optionsFor(trio, p))
				data := content(size)
				_, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{Delivery: ftpx.DeliverDrop})
				var e *ftpx.Error
				if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || e.Partial != "" {
					t.Errorf("%+v, %v", e, err)
				}
				if n := a.times(data); n != 1 {
					t.Errorf("delivered %d times", n)
				}
			})
		}
	}
}

// TestDirectGoesOn: what this call has begun under the final name is gone on with; what
// another has left there is not taken for the source's beginning.
func TestDirectGoesOn(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			c := connect(t, trio, optionsFor(trio, p))
			data := content(4 << 20)
			other := append(bytes.Repeat([]byte("x"), 1<<20), data[1<<20:3<<20]...)
			if err := os.WriteFile(filepath.Join(trio.Root, "f"), other, 0o600); err != nil {
				t.Fatal(err)
			}
			var once sync.Once
			res, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{Delivery: ftpx.DeliverDirect, Progress: func(i ftpx.ProgressInfo) {
				if i.Offset >= 3<<20 {
					once.Do(func() { trio.SFTP.CutSessions(); trio.FTP.CutSessions(); trio.FTPS.CutSessions() })
				}
			}})
			if err != nil || res.Kept != 0 || res.Attempts != 2 || !res.Verified.Size {
				t.Errorf("%+v, %v", res, err)
			}
			wantNames(t, trio.Root, "f")
			wantFile(t, filepath.Join(trio.Root, "f"), data)
			if p == ftpx.SFTP && res.Resumes == 0 {
				t.Error("it began again")
			}
		})
	}
}

// TestPartialName: the name of the partial is what the caller wants it to be.
func TestPartialName(t *testing.T) {
	for template, want := range map[string]string{
		"{name}.filepart": "in/s.csv.filepart", "in.{name}": "in/in.s.csv", "tmp/{name}": "in/tmp/s.csv", "{name}-{id}": "", "": "",
	} {
		for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
			t.Run(p.String()+" "+template, func(t *testing.T) {
				var mu sync.Mutex
				var stored []string
				trio := startTrio(t, func(o *testserver.TrioOptions) {
					note := func(name string) { mu.Lock(); stored = append(stored, name); mu.Unlock() }
					o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = note }
					o.FTP = func(s *testserver.FTPOptions) { s.OnStored = note }
				})
				c := connect(t, trio, optionsFor(trio, p))
				data := content(1 << 20)
				if _, err := c.Upload(t.Context(), localFile(t, data), "in/s.csv", &ftpx.UploadOptions{PartialName: template, CreateDirs: true}); err != nil {
					t.Fatal(err)
				}
				wantFile(t, filepath.Join(trio.Root, "in/s.csv"), data)
				mu.Lock()
				defer mu.Unlock()
				if last := stored[len(stored)-1]; want != "" && strings.TrimPrefix(last, "/") != want || strings.TrimPrefix(last, "/") == "in/s.csv" {
					t.Errorf("sent as %q", stored)
				}
			})
		}
	}
}

// TestDeliveryOptions: what cannot be had is said before anything is done, with the field.
func TestDeliveryOptions(t *testing.T) {
	trio := startTrio(t)
	c := connect(t, trio, optionsFor(trio, ftpx.SFTP))
	before := trio.SFTP.Stats()
	for want, o := range map[string]ftpx.UploadOptions{
		"field Delivery":    {Delivery: 3},
		"field NoReplace":   {Delivery: ftpx.DeliverDrop, NoReplace: true},
		"field Verify":      {Delivery: ftpx.DeliverDrop, Verify: ftpx.VerifyFull},
		"field PartialName": {Delivery: ftpx.DeliverDirect, PartialName: "{name}.x"},
	} {
		_, err := c.Upload(t.Context(), localFile(t, nil), "f", &o)
		if err == nil || !strings.Contains(err.Error(), want) || ftpx.KindOf(err) != transport.KindInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, template := range []string{"same", "{name}", "{x}{name}", "{name}/f", "../{name}", "{name}{name}", "a\n{name}", strings.Repeat("x", 250) + "{name}"} {
		_, err := c.Upload(t.Context(), localFile(t, nil), "f", &ftpx.UploadOptions{PartialName: template})
		if err == nil || !strings.Contains(err.Error(), "field PartialName") || ftpx.KindOf(err) != transport.KindInvalid {
			t.Errorf("%q: %v", template, err)
		}
	}
	if after := trio.SFTP.Stats(); after.Received != before.Received {
		t.Error("something was sent")
	}
	wantNames(t, trio.Root)
}
