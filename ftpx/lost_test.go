package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What the fault sweep has found, one by one.

// inMemory runs f in a bubble, for both flavours of server.
func inMemory(t *testing.T, change func(*memconn.Options, *transport.Caps), f func(t *testing.T, c ftpx.Client, s *memconn.Server)) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caps := memconn.DefaultCaps(p)
				so := memconn.Options{Caps: &caps, Chunk: 16 << 10}
				if change != nil {
					change(&so, &caps)
				}
				s := memconn.New(so)
				opts := ftpx.Options{Protocols: []ftpx.Protocol{p}}
				ftpx.SetConnect(&opts, s.Dial)
				c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				f(t, c, s)
			})
		})
	}
}

// rename tells the requests that give a file another name.
func rename(op memconn.OpInfo) bool { return op.Request == "RNTO" || op.Request == "SSH_FXP_RENAME" }

func removal(op memconn.OpInfo) bool {
	return op.Request == "DELE" || op.Request == "SSH_FXP_REMOVE"
}

// nth breaks the n-th operation, from 1, of those that match.
func nth(n int, f memconn.Fault, match func(memconn.OpInfo) bool) memconn.Injector {
	return func(op memconn.OpInfo) memconn.Fault {
		if match(op) {
			if n--; n == 0 {
				return f
			}
		}
		return memconn.Fault{}
	}
}

func step(s memconn.Step, match func(memconn.OpInfo) bool) func(memconn.OpInfo) bool {
	return func(op memconn.OpInfo) bool { return op.Step == s && match(op) }
}

func wantOnDisk(t *testing.T, s *memconn.Server, want map[string][]byte) {
	t.Helper()
	for name, data := range want {
		if got, ok := s.Files().Read(name); !ok || !bytes.Equal(got, data) {
			t.Errorf("%s holds %d bytes that differ from the %d expected", name, len(got), len(data))
		}
	}
	if got := s.Files().Paths(); len(got) != len(want) {
		t.Errorf("on the disk: %q", got)
	}
}

// A lost reply to DELE or RNTO is remembered however the next attempt fares: that
// it was a second look on a reused connection, or that dialling failed first.
func TestLostReplyIsRemembered(t *testing.T) {
	for _, between := range []string{"nothing", "a failed dial"} {
		t.Run(between, func(t *testing.T) {
			inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				lose := func(match func(memconn.OpInfo) bool) memconn.Injector {
					reply := nth(1, memconn.Fault{Do: memconn.LostBefore}, step(memconn.StepReply, match))
					dial := nth(1, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindUnreachable}, func(op memconn.OpInfo) bool { return op.Step == memconn.StepDial })
					return func(op memconn.OpInfo) memconn.Fault {
						if f := reply(op); f.Do != memconn.Pass || between == "nothing" {
							return f
						}
						return dial(op)
					}
				}
				s.Files().Write("a", []byte("a"), time.Now())
				s.Inject(lose(rename))
				if err := c.Rename(t.Context(), "a", "b"); err != nil {
					t.Error(err)
				}
				s.Inject(lose(removal))
				if err := c.Remove(t.Context(), "b"); err != nil {
					t.Error(err)
				}
				s.Inject(nil)
				if err := c.Remove(t.Context(), "b"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("what was not there: %v", err)
				}
				wantOnDisk(t, s, nil)
			})
		})
	}
}

// A server that cannot replace: whatever reply is lost after a refusal, or
// belies what was done, the new file comes into its place and no backup stays.
func TestReplaceByBackupWhateverIsLost(t *testing.T) {
	any := func(memconn.OpInfo) bool { return true }
	for name, inject := range map[string]func() memconn.Injector{
		"the line after the refusal": func() memconn.Injector {
			return nth(1, memconn.Fault{Do: memconn.LostAfter}, step(memconn.StepReply, rename))
		},
		"the look at what is there": func() memconn.Injector {
			seen := false
			return nth(1, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool {
				seen = seen || rename(op)
				return seen && !rename(op)
			})
		},
		"the reply to the backup's rename": func() memconn.Injector {
			return nth(2, memconn.Fault{Do: memconn.LostBefore}, step(memconn.StepReply, rename))
		},
		"the truth about the backup's rename": func() memconn.Injector {
			return nth(2, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindRefused}, step(memconn.StepReply, rename))
		},
		"the reply to the last rename": func() memconn.Injector {
			return nth(3, memconn.Fault{Do: memconn.LostBefore}, step(memconn.StepReply, rename))
		},
		"the truth about the last rename": func() memconn.Injector {
			return nth(3, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindTemporary}, step(memconn.StepReply, rename))
		},
		"the removal of the backup": func() memconn.Injector {
			return nth(2, memconn.Fault{Do: memconn.LostBefore}, step(memconn.StepRequest, removal))
		},
		"nothing": func() memconn.Injector { return nth(0, memconn.Fault{}, any) },
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(_ *memconn.Options, caps *transport.Caps) { caps.ReplaceOnRename = false }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				s.Files().Write("f", content(1000), time.Now())
				s.Inject(inject())
				data := content(100 << 10)
				if res, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil); err != nil || res.Outcome != ftpx.Done {
					t.Errorf("%+v %v", res, err)
				}
				wantOnDisk(t, s, map[string][]byte{"f": data})
			})
		})
	}
}

// A rename that is refused for good after the old file was moved away: it gets
// its name back, and the outcome is "not done". Refused before: likewise.
func TestRefusedRenameGivesTheOldFileBack(t *testing.T) {
	for n := 1; n <= 3; n++ {
		inMemory(t, func(_ *memconn.Options, caps *transport.Caps) { caps.ReplaceOnRename = n == 1 }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			s.Files().Write("f", content(1000), time.Now())
			s.Inject(nth(n, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNoSpace}, step(memconn.StepRequest, rename)))
			res, err := c.Put(t.Context(), "f", bytes.NewReader(content(100<<10)), nil)
			if err == nil || res.Outcome != ftpx.NotDone {
				t.Errorf("rename %d refused: %v, %v", n, res.Outcome, err)
			}
			if got, _ := s.Files().Read("f"); !bytes.Equal(got, content(1000)) {
				t.Errorf("rename %d refused: the old file is not there", n)
			}
		})
	}
}

// A file that has appeared meanwhile is not replaced where NoReplace is set, on
// servers that refuse to and on those that would.
func TestNoReplaceAtTheRename(t *testing.T) {
	inMemory(t, func(_ *memconn.Options, caps *transport.Caps) { caps.ReplaceOnRename = false }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if rename(op) && op.Step == memconn.StepRequest {
				s.Files().Write("f", content(10), time.Now())
			}
			return memconn.Fault{}
		})
		_, err := c.Put(t.Context(), "f", bytes.NewReader(content(100)), &ftpx.PutOptions{NoReplace: true})
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v", err)
		}
		if got, _ := s.Files().Read("f"); !bytes.Equal(got, content(10)) {
			t.Error("it was replaced")
		}
	})
}

// A hash of whole files is used although the server takes no ranges, and what it
// finds is sent again, but not for ever.
func TestHashOfWholeFiles(t *testing.T) {
	hashes := func(_ *memconn.Options, caps *transport.Caps) { caps.Hashes = []string{"sha256"} }
	data := content(100 << 10)
	chunk := func(op memconn.OpInfo) bool { return op.Step == memconn.StepData }
	inMemory(t, hashes, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Inject(nth(3, memconn.Fault{Do: memconn.Corrupt}, chunk))
		res, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil)
		if err != nil || res.Verified.Hash != "sha256" || res.Attempts != 2 {
			t.Errorf("%+v %v", res, err)
		}
		wantOnDisk(t, s, map[string][]byte{"f": data})
	})
	inMemory(t, hashes, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if chunk(op) {
				return memconn.Fault{Do: memconn.Corrupt}
			}
			return memconn.Fault{}
		})
		res, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil)
		if !errors.Is(err, ftpx.ErrMismatch) || res.Attempts > 5 {
			t.Errorf("put: %d attempts, %v", res.Attempts, err)
		}
		s.Files().Write("g", data, time.Now())
		local := filepath.Join(t.TempDir(), "g")
		res, err = c.Download(t.Context(), "g", local, nil)
		if !errors.Is(err, ftpx.ErrMismatch) || res.Attempts > 5 {
			t.Errorf("download: %d attempts, %v", res.Attempts, err)
		}
		if _, err := os.Stat(local); err == nil {
			t.Error("a file that arrived wrong has its name")
		}
	})
}

// To get as far as before, again and again, is no progress: a line that stalls
// at the same place of a file that the server then locks comes to an end.
func TestAlwaysAsFarIsNoProgress(t *testing.T) {
	inMemory(t, func(o *memconn.Options, _ *transport.Caps) { o.LockFor = time.Hour }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Offset >= 64<<10 {
				return memconn.Fault{Do: memconn.Stall}
			}
			return memconn.Fault{}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		res, err := c.Put(ctx, "f", bytes.NewReader(content(200<<10)), nil)
		if err == nil || errors.Is(err, context.DeadlineExceeded) || res.Attempts > 60 {
			t.Errorf("put: %d attempts, %v", res.Attempts, err)
		}
	})
}

// A download whose server refuses to go on from an offset begins again, and ends
// when that gets no further.
func TestDownloadWithoutRestart(t *testing.T) {
	for _, always := range []bool{false, true} {
		inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data := content(200 << 10)
			s.Files().Write("f", data, time.Now())
			broken, opens := 0, 0
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				switch {
				case op.Step == memconn.StepData && op.Offset == 96<<10 && (always || broken == 0):
					broken++
					return memconn.Fault{Do: memconn.LostBefore}
				case op.Step == memconn.StepRequest && (op.Request == "RETR" || op.Request == "SSH_FXP_OPEN"):
					if opens++; opens%2 == 0 { // after each loss
						return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindRestart}
					}
				}
				return memconn.Fault{}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			local := filepath.Join(t.TempDir(), "f")
			res, err := c.Download(ctx, "f", local, nil)
			if always {
				if err == nil || errors.Is(err, context.DeadlineExceeded) || res.Attempts > 30 {
					t.Errorf("%d attempts, %v", res.Attempts, err)
				}
				return
			}
			if err != nil || res.Resumes != 1 {
				t.Fatalf("%+v %v", res, err)
			}
			wantFile(t, local, data)
		})
	}
}

// The last byte has come and the final reply has not: there is nothing left to
// fetch, and the size has been seen to be right.
func TestGetWhoseFinalReplyIsLost(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Files().Write("f", data, time.Now())
		s.Inject(nth(1, memconn.Fault{Do: memconn.LostAfter}, func(op memconn.OpInfo) bool {
			return op.Step == memconn.StepData && op.Offset+op.Len == int64(len(data))
		}))
		var b bytes.Buffer
		res, err := c.Get(t.Context(), "f", &b, nil)
		if err != nil || !bytes.Equal(b.Bytes(), data) || !res.Verified.Size || res.Moved != int64(len(data)) {
			t.Errorf("%+v %v", res, err)
		}
	})
}

// A file that changes before a byte of it was written is fetched as it is now.
func TestGetOfAFileThatChangesBeforeItBegins(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Files().Write("f", content(50<<10), time.Now())
		s.Inject(nth(1, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool {
			if op.Step == memconn.StepData {
				s.Files().Write("f", data, time.Now())
				return true
			}
			return false
		}))
		var b bytes.Buffer
		if res, err := c.Get(t.Context(), "f", &b, nil); err != nil || !bytes.Equal(b.Bytes(), data) {
			t.Errorf("%+v %v", res, err)
		}
	})
}

// What is read back of the destination can itself be garbled: a second look
// comes before the outcome is called unknown.
func TestGarbledLookAtTheDestination(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		lost := nth(1, memconn.Fault{Do: memconn.LostBefore}, step(memconn.StepReply, rename))
		read := nth(1, memconn.Fault{Do: memconn.Corrupt}, func(op memconn.OpInfo) bool {
			return op.Step == memconn.StepData && (op.Request == "RETR" || op.Request == "SSH_FXP_READ")
		})
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if f := lost(op); f.Do != memconn.Pass {
				return f
			}
			return read(op)
		})
		if res, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil); err != nil || res.Outcome != ftpx.Done {
			t.Errorf("%+v %v", res, err)
		}
		wantOnDisk(t, s, map[string][]byte{"f": data})
	})
}

// Another writer of the same file finishes while its partial is being watched.
func TestPartialThatGoesAwayWhileWatched(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		local := localFile(t, data)
		s.Inject(nth(5, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNoSpace}, func(op memconn.OpInfo) bool { return op.Step == memconn.StepData }))
		if _, err := c.Upload(t.Context(), local, "f", nil); err == nil {
			t.Fatal("a full disk took the file")
		}
		i := slices.IndexFunc(s.Files().Paths(), func(n string) bool { return strings.HasSuffix(n, ".part") })
		if i < 0 {
			t.Fatal("no partial")
		}
		partial := s.Files().Paths()[i]
		looks := 0
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Path == partial && (op.Request == "MLST" || op.Request == "SSH_FXP_STAT") && op.Step == memconn.StepRequest {
				if looks++; looks == 2 {
					s.Files().Remove(partial)
					s.Files().Write("f", data, time.Now())
				}
			}
			return memconn.Fault{}
		})
		if res, err := c.Upload(t.Context(), local, "f", nil); err != nil {
			t.Errorf("%+v %v", res, err)
		}
		wantOnDisk(t, s, map[string][]byte{"f": data})
	})
}

// A partial that an older session holds is not waited for: not to write to it, and
// not to read it back either, which vsftpd does not answer any more than STOR.
func TestHeldPartialIsLeftAlone(t *testing.T) {
	for _, held := range []string{"STOR", "RETR"} {
		t.Run(held, func(t *testing.T) {
			inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
				file := filepath.Join(t.TempDir(), "f")
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				cut := nth(20, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool { return op.Step == memconn.StepData })
				lock := ""
				s.Inject(func(op memconn.OpInfo) memconn.Fault {
					if f := cut(op); f.Do != memconn.Pass {
						lock = op.Path
						return f
					}
					if lock != "" && op.Path == lock && op.Request == held && op.Step == memconn.StepReply {
						return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindLocked}
					}
					return memconn.Fault{}
				})
				res, err := c.Upload(t.Context(), file, "f", nil)
				if err != nil || res.Attempts > 3 {
					t.Errorf("%+v, %v", res, err)
				}
				wantOnDisk(t, s, map[string][]byte{"f": data})
			})
		})
	}
}
