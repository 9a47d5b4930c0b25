package ftpx_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestQuirksOutliveConnections: what a server announces and does not do is found
// out once. Each round is a file, a listing and a look, on connections of its own.
func TestQuirksOutliveConnections(t *testing.T) {
	for name, verbs := range map[string][]string{
		"no EPSV":                        {"EPSV"},
		"no MLSD":                        {"MLSD"},
		"no MLST":                        {"MLST"},
		"no MFMT":                        {"MFMT"},
		"neither MLSD nor MLST nor EPSV": {"MLSD", "MLST", "EPSV"},
		"hashes that are not delivered":  {"HASH", "XSHA512", "XSHA256", "XSHA1", "XSHA", "XMD5", "XCRC"},
	} {
		t.Run(name, func(t *testing.T) {
			const rounds = 4
			trio := startTrio(t, func(o *testserver.TrioOptions) {
				o.FTP = func(o *testserver.FTPOptions) {
					o.OnCommand = func(verb, _ string) string {
						if slices.Contains(verbs, verb) {
							return "500 " + verb + ": command not understood"
						}
						return ""
					}
				}
			})
			c := connect(t, trio, optionsFor(trio, ftpx.FTP))
			var each []string
			before := trio.FTP.Stats().Commands
			for n := range rounds {
				data := content(100_000 + n)
				file := fmt.Sprintf("f%d", n)
				if _, err := c.Upload(t.Context(), localFile(t, data), file, nil); err != nil {
					t.Fatal(err)
				}
				if st, err := c.Stat(t.Context(), file); err != nil || st.Size != int64(len(data)) {
					t.Error(st, err)
				}
				listed := 0
				for _, err := range c.List(t.Context(), ".") {
					if err != nil {
						t.Error(err)
					}
					listed++
				}
				if listed != n+1 {
					t.Errorf("%d entries listed, want %d", listed, n+1)
				}
				wantFile(t, filepath.Join(trio.Root, file), data)
				if trio.FTP.CutSessions() == 0 {
					t.Error("there was no connection to cut")
				}
				now := trio.FTP.Stats().Commands
				var asked []string
				for _, v := range verbs {
					asked = append(asked, fmt.Sprintf("%s %d", v, now[v]-before[v]))
					if n > 0 && now[v] > before[v] {
						t.Errorf("file %d asked for %s again", n+1, v)
					}
				}
				each, before = append(each, strings.Join(asked, ", ")), now
			}
			asked := int64(0)
			for _, v := range verbs {
				asked += before[v]
				if before[v] > 1 {
					t.Errorf("%s was asked for %d times by %d files", v, before[v], rounds)
				}
			}
			if asked == 0 {
				t.Error("nothing was asked for, so that nothing is shown")
			}
			if s := trio.FTP.Stats(); s.Logins < rounds {
				t.Errorf("%d logins by %d rounds: the connections were not new", s.Logins, rounds)
			}
			for n, line := range each {
				t.Logf("file %d: %s", n+1, line)
			}
		})
	}
}

// TestRestartIsRefusedOnce: that STOR does not go on from an offset costs the
// first file that is resumed one REST, and later ones none.
func TestRestartIsRefusedOnce(t *testing.T) {
	disk := testserver.NewDisk(1 << 30)
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.Disk = disk
		o.FTP = func(o *testserver.FTPOptions) { o.Disable = []string{"REST"} }
	})
	c := connect(t, trio, optionsFor(trio, ftpx.FTP))
	for n := range 3 {
		data := content(400_000 + n)
		local, file := localFile(t, data), fmt.Sprintf("f%d", n)
		disk.SetFree(200_000)
		if _, err := c.Upload(t.Context(), local, file, nil); ftpx.KindOf(err) != transport.KindNoSpace {
			t.Fatal(err)
		}
		trio.FTP.CutSessions()
		disk.SetFree(1 << 30)
		res, err := c.Upload(t.Context(), local, file, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantFile(t, filepath.Join(trio.Root, file), data)
		rest := trio.FTP.Stats().Commands["REST"]
		t.Logf("file %d: %d attempts, %d REST so far", n+1, res.Attempts, rest)
		if rest != 1 || n > 0 && res.Attempts > 2 { // the first found its connection cut
			t.Errorf("file %d: %d REST, %d attempts", n+1, rest, res.Attempts)
		}
	}
}

// TestLimitOutlivesConnections: how many connections the server takes is found
// out once, and holds when all of them have been lost.
func TestLimitOutlivesConnections(t *testing.T) {
	for name, limit := range map[string]func(*testserver.FTPOptions){
		"421 at the greeting": func(o *testserver.FTPOptions) { o.MaxConnections = 3 },
		"530 at the login":    func(o *testserver.FTPOptions) { o.MaxLogins = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			const files, workers = 40, 12
			// No file is through before the limit has been met, however fast this is.
			met := make(chan struct{})
			meet := sync.OnceFunc(func() { close(met) })
			trio := startTrio(t, func(o *testserver.TrioOptions) {
				o.FTP = func(o *testserver.FTPOptions) {
					limit(o)
					o.OnCommand = func(verb, _ string) string {
						if verb == "STOR" {
							<-met
						}
						return ""
					}
				}
			})
			t.Cleanup(meet)
			opts := optionsFor(trio, ftpx.FTP)
			opts.Limits.Conns = workers
			opts.Hooks = &ftpx.Hooks{Dial: func(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
				return nil, func(e ftpx.DialEnd) {
					if e.Err != nil {
						meet()
					}
				}
			}}
			c := connect(t, trio, opts)
			local := localFile(t, content(50_000))
			var before int64
			for round := range 3 {
				work := make(chan int)
				var wg sync.WaitGroup
				for range workers {
					wg.Go(func() {
						for n := range work {
							if _, err := c.Upload(t.Context(), local, fmt.Sprintf("f%d-%d", round, n), nil); err != nil {
								t.Error(err)
							}
						}
					})
				}
				for n := range files {
					work <- n
				}
				close(work)
				wg.Wait()
				s := c.Stats()
				t.Logf("round %d: %d dials, of which %d failed, for %d files", round+1, s.Dials, s.DialsFailed, files*(round+1))
				switch now := s.DialsFailed; {
				case round == 0 && (now == 0 || now > 5):
					t.Errorf("%d dials failed, want 1 to 5", now)
				// Sessions that were cut count until the server has noticed.
				case round > 0 && now > before+2:
					t.Errorf("%d more dials failed although the limit was known", now-before)
				default:
					before = now
				}
				trio.FTP.CutSessions()
			}
		})
	}
}
