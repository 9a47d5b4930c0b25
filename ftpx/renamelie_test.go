package ftpx_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// liar is a server that acknowledges each rename, and does nothing while it lies.
func liar(t *testing.T, lies *atomic.Bool) *testserver.Trio {
	return startTrio(t, func(o *testserver.TrioOptions) {
		o.Access = func(op testserver.Op, _ string) error {
			if op == testserver.OpRename && lies.Load() {
				return os.ErrPermission
			}
			return nil
		}
		o.FTP = func(o *testserver.FTPOptions) {
			o.OnReply = func(verb, line string) string {
				switch {
				case verb == "RNFR" && lies.Load():
					return "350 Ready."
				case verb == "RNTO" && lies.Load():
					return "250 Renamed."
				}
				return line
			}
		}
		o.SFTP = func(o *testserver.SFTPOptions) { o.Habits = &testserver.SFTPHabits{DeafRename: lies.Load()} }
	})
}

// TestRenameAcknowledgedAndNotDone: an upload, over nothing, over an older file of the same
// size, and a Rename, are not done because the server says so.
func TestRenameAcknowledgedAndNotDone(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP, ftpx.FTPS} {
		for _, old := range []bool{false, true} {
			t.Run(fmt.Sprint(p, "/", old), func(t *testing.T) {
				t.Parallel()
				lies := &atomic.Bool{}
				lies.Store(true)
				trio := liar(t, lies)
				c := ftpx.HurryTaken(connect(t, trio, optionsFor(trio, p)))
				data := content(1354)
				was := append(content(1353), 'x')
				if old {
					if err := os.WriteFile(filepath.Join(trio.Root, "f"), was, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				res, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
				var d *ftpx.DeliveryError
				if !errors.As(err, &d) || d.What != "rename" || res.Outcome != ftpx.NotDone || res.Attempts != 1 ||
					!strings.Contains(err.Error(), "acknowledged the rename") || !strings.Contains(err.Error(), "Delivery Direct") {
					t.Errorf("%+v, %v", res, err)
				}
				if old {
					wantNames(t, trio.Root, "f")
					wantFile(t, filepath.Join(trio.Root, "f"), was)
					return
				}
				wantNames(t, trio.Root)
				if _, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{Delivery: ftpx.DeliverDirect}); err != nil {
					t.Error(err)
				}
				if err := c.Rename(t.Context(), "f", "g"); err == nil || !strings.Contains(err.Error(), "acknowledged the rename") {
					t.Error(err)
				}
				wantNames(t, trio.Root, "f")
			})
		}
	}
}

// TestLateReplyToStor: the server has all of a file, and loses the control connection with the
// answer to STOR, of each. The upload looks what has arrived, and sends it once.
func TestLateReplyToStor(t *testing.T) {
	for _, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect} {
		for _, size := range []int{4, 1 << 20} {
			t.Run(fmt.Sprint(d, "/", size), func(t *testing.T) {
				t.Parallel()
				var trio *testserver.Trio
				var stored atomic.Int32
				trio = startTrio(t, func(o *testserver.TrioOptions) {
					o.FTP = func(o *testserver.FTPOptions) {
						o.OnReply = func(verb, line string) string {
							if verb == "STOR" && strings.HasPrefix(line, "226") {
								stored.Add(1)
								trio.FTP.CutSessions()
								return ""
							}
							return line
						}
					}
				})
				c := connect(t, trio, optionsFor(trio, ftpx.FTP))
				data := content(size)
				res, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{Delivery: d})
				if err != nil || res.Outcome != ftpx.Done || !res.Verified.Size || stored.Load() != 1 {
					t.Errorf("%+v, %v, sent %d times", res, err, stored.Load())
				}
				wantNames(t, trio.Root, "f")
				wantFile(t, filepath.Join(trio.Root, "f"), data)
			})
		}
	}
}

// TestRefusedClose: what the server refused to close is refused, however whole it is: for this
// call, and for the next.
func TestRefusedClose(t *testing.T) {
	for _, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect} {
		for _, size := range []int{4, 200 << 10, 3 << 20} {
			t.Run(fmt.Sprint(d, "/", size), func(t *testing.T) {
				t.Parallel()
				trio := startTrio(t, func(o *testserver.TrioOptions) {
					o.SFTP = func(o *testserver.SFTPOptions) { o.Habits = &testserver.SFTPHabits{Close: 4} }
				})
				c := connect(t, trio, optionsFor(trio, ftpx.SFTP))
				from := localFile(t, content(size))
				for range 2 {
					res, err := c.Upload(t.Context(), from, "f", &ftpx.UploadOptions{Delivery: d})
					if err == nil || res.Outcome != ftpx.NotDone || res.Attempts != 2 {
						t.Errorf("%+v, %v", res, err)
					}
				}
				wantNames(t, trio.Root)
			})
		}
	}
}

// TestNoRenameAndGone: a server that does not know RNFR and drops the session at RNTO. The
// second session removes what was begun, and the error names the way without a rename.
func TestNoRenameAndGone(t *testing.T) {
	var trio *testserver.Trio
	trio = startTrio(t, func(o *testserver.TrioOptions) {
		o.Access = func(op testserver.Op, _ string) error {
			if op == testserver.OpRename {
				return os.ErrPermission
			}
			return nil
		}
		o.FTP = func(o *testserver.FTPOptions) {
			o.OnReply = func(verb, line string) string {
				switch verb {
				case "RNFR":
					return "502 Not here."
				case "RNTO":
					trio.FTP.CutSessions()
					return ""
				}
				return line
			}
		}
	})
	c := connect(t, trio, optionsFor(trio, ftpx.FTP))
	res, err := c.Upload(t.Context(), localFile(t, content(4)), "f", nil)
	var d *ftpx.DeliveryError
	if !errors.As(err, &d) || d.What != "rename" || res.Outcome != ftpx.NotDone || res.Attempts != 2 {
		t.Errorf("%+v, %v", res, err)
	}
	wantNames(t, trio.Root)
}

// TestHiddenNamesRefused: a server that takes no name with a dot in front, and says so in
// either way, has the option named that gives partials another.
func TestHiddenNamesRefused(t *testing.T) {
	for _, reply := range []string{"553 Name not allowed.", "550 Permission denied."} {
		trio := startTrio(t, func(o *testserver.TrioOptions) {
			o.Access = func(op testserver.Op, name string) error {
				if op == testserver.OpWrite && strings.HasPrefix(filepath.Base(name), ".") {
					return os.ErrPermission
				}
				return nil
			}
			o.FTP = func(o *testserver.FTPOptions) {
				o.OnReply = func(verb, line string) string {
					if verb == "STOR" && strings.HasPrefix(line, "5") {
						return reply
					}
					return line
				}
			}
		})
		c := connect(t, trio, optionsFor(trio, ftpx.FTP))
		from := localFile(t, content(1354))
		_, err := c.Upload(t.Context(), from, "f", nil)
		var d *ftpx.DeliveryError
		if !errors.As(err, &d) || d.What != "name" || !strings.Contains(err.Error(), "PartialName") {
			t.Errorf("%s: %v", reply, err)
		}
		if _, err := c.Upload(t.Context(), from, "f", &ftpx.UploadOptions{PartialName: "{name}.filepart"}); err != nil {
			t.Errorf("%s: %v", reply, err)
		}
		wantNames(t, trio.Root, "f")
	}
}
