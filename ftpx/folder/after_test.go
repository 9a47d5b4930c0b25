package folder_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// planThenRun makes a dry run and a run, which must say the same.
func (w way) planThenRun(t *testing.T, world *world, local string, opts *folder.Options) seen {
	t.Helper()
	o := *opts
	o.DryRun = true
	lines := func(s seen) string {
		var b strings.Builder
		for _, l := range s.plan() {
			b.WriteString(l + "\n")
		}
		for _, i := range s.items {
			if i.After != "" || i.Target != "" {
				fmt.Fprintf(&b, "%s: %s, target %q\n", i.Path, i.After, i.Target)
			}
		}
		return b.String()
	}
	src, dst := w.sides(world, local)
	before := fmt.Sprint(tree(t, src), tree(t, dst))
	plan := w.run(t.Context(), world, local, &o)
	if after := fmt.Sprint(tree(t, src), tree(t, dst)); after != before {
		t.Errorf("the dry run has changed something: %s, before %s", after, before)
	}
	o.DryRun, o.Parallel = false, 1
	s := w.run(t.Context(), world, local, &o)
	if a, b := sortedLines(lines(plan)), sortedLines(lines(s)); a != b {
		t.Errorf("the plan:\n%s\nthe run:\n%s", a, b)
	}
	if plan.report.Taken != s.report.Taken || plan.report.NotReady != s.report.NotReady || plan.report.Dead != s.report.Dead {
		t.Errorf("the plan %+v, the run %+v", plan.report, s.report)
	}
	return s
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines { // of the same few hundred lines
		for k := i; k > 0 && lines[k] < lines[k-1]; k-- {
			lines[k], lines[k-1] = lines[k-1], lines[k]
		}
	}
	return strings.Join(lines, "\n")
}

// tree lists a folder, with times.
func tree(t *testing.T, dir string) (paths []string) {
	t.Helper()
	_ = filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err == nil && p != dir {
			rel, _ := filepath.Rel(dir, p)
			paths = append(paths, fmt.Sprint(filepath.ToSlash(rel), " ", info.Size(), " ", info.ModTime().UnixNano()))
		}
		return nil
	})
	return paths
}

// TestAfterSource: what becomes of the source, as the plan says, and again for what comes
// later.
func TestAfterSource(t *testing.T) {
	for _, way := range ways {
		for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
			for name, c := range map[string]struct {
				after  folder.After
				source map[string]string // what is left
				target map[string]string // what is there besides
				second int               // what a second run finds unchanged
			}{
				"delete":      {after: folder.After{Source: folder.SourceDelete}, source: map[string]string{"d/e/": ""}},
				"move within": {after: folder.After{Source: folder.SourceMove, Archive: "old"}, source: map[string]string{"old/a": "1", "old/d/e/b.x": "22", "old/empty": "", "d/e/": ""}},
				"move beside": {after: folder.After{Source: folder.SourceMove, Archive: "../beside/{mtime:2006}"}, source: map[string]string{"d/e/": ""}},
				"mark source": {after: folder.After{MarkSource: "{name}.sent"}, source: map[string]string{"a": "1", "d/e/b.x": "22", "empty": "", "a.sent": "", "d/e/b.x.sent": "", "empty.sent": ""}, second: 3},
				"mark target": {after: folder.After{MarkTarget: ".done"}, source: map[string]string{"a": "1", "d/e/b.x": "22", "empty": ""}, target: map[string]string{"a.done": "", "d/e/b.x.done": "", "empty.done": ""}, second: 3},
				"delete, mark target": {after: folder.After{Source: folder.SourceDelete, MarkTarget: "{stem}.ok"}, source: map[string]string{"d/e/": ""},
					target: map[string]string{"a.ok": "", "d/e/b.ok": "", "empty.ok": ""}},
			} {
				t.Run(fmt.Sprint(way.name, " ", p, " ", name), func(t *testing.T) {
					w := start(t, p)
					local := filepath.Join(t.TempDir(), "tree")
					src, dst := way.sides(w, local)
					files := map[string]string{"a": "1", "d/e/b.x": "22", "empty": ""}
					write(t, src, files)
					opts := &folder.Options{After: c.after}
					s := way.planThenRun(t, w, local, opts).ok(t)
					if takes := c.after.Source != folder.SourceKeep; s.report.Copied != 3 || takes != (s.report.Taken == 3) {
						t.Errorf("%+v\n%s", s.report, s)
					}
					holds(t, src, c.source)
					want := map[string]string{}
					for _, m := range []map[string]string{files, c.target} {
						for k, v := range m {
							want[k] = v
						}
					}
					holds(t, dst, want)
					if name == "move beside" {
						holds(t, filepath.Join(filepath.Dir(src), "beside"), map[string]string{"2024/a": "1", "2024/d/e/b.x": "22", "2024/empty": ""})
					}
					s = way.planThenRun(t, w, local, opts).ok(t)
					if s.report.Copied != 0 || s.report.Unchanged != c.second {
						t.Errorf("the second run: %+v\n%s", s.report, s)
					}
					holds(t, src, c.source)
					holds(t, dst, want)
				})
			}
		}
	}
}

// TestMarkedSourceIsNotCopiedAgain: a marker says that its version was copied, also when
// the receiver has taken it away; a newer version is copied.
func TestMarkedSourceIsNotCopiedAgain(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"a": "1", "b": "2"})
			opts := &folder.Options{After: folder.After{MarkSource: ".sent"}}
			way.run(t.Context(), w, local, opts).ok(t)
			must(t, os.Remove(filepath.Join(dst, "a")))
			must(t, os.Remove(filepath.Join(dst, "b")))
			must(t, os.WriteFile(filepath.Join(src, "b"), []byte("two"), 0o644))
			way.run(t.Context(), w, local, opts).ok(t)
			holds(t, dst, map[string]string{"b": "two"})
		})
	}
}

// TestArchiveReplacesNothing: a file whose name is taken in the archive gets another.
func TestArchiveReplacesNothing(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, _ := way.sides(w, local)
			opts := &folder.Options{After: folder.After{Source: folder.SourceMove, Archive: "old"}}
			for _, text := range []string{"1", "2", "3"} {
				write(t, src, map[string]string{"a.csv": text, "noext": text})
				way.run(t.Context(), w, local, opts).ok(t)
			}
			holds(t, src, map[string]string{
				"old/a.csv": "1", "old/a-20240506T070809Z.csv": "2", "old/a-20240506T070809Z-2.csv": "3",
				"old/noext": "1", "old/noext-20240506T070809Z": "2", "old/noext-20240506T070809Z-2": "3"})
		})
	}
}

// meddler is a client that lets the test act right after a transfer, or in its place.
type meddler struct {
	ftpx.Client
	after func(source string)
	fail  func(source string) (ftpx.Result, error)
}

func (m *meddler) Upload(ctx context.Context, local, remote string, opts *ftpx.UploadOptions) (ftpx.Result, error) {
	if m.fail != nil {
		return m.fail(local)
	}
	res, err := m.Client.Upload(ctx, local, remote, opts)
	m.after(local)
	return res, err
}

func (m *meddler) Download(ctx context.Context, remote, local string, opts *ftpx.DownloadOptions) (ftpx.Result, error) {
	if m.fail != nil {
		return m.fail(remote)
	}
	res, err := m.Client.Download(ctx, remote, local, opts)
	m.after(remote)
	return res, err
}

// TestSourceThatChangesIsNotTaken: a source that is another file by the time it could be
// deleted or moved stays, whatever the change, and the next run copies it.
func TestSourceThatChangesIsNotTaken(t *testing.T) {
	changes := map[string]func(t *testing.T, name string){
		"appended to": func(t *testing.T, name string) {
			must(t, os.WriteFile(name, []byte("new and longer"), 0o644))
		},
		"rewritten in the same size": func(t *testing.T, name string) {
			must(t, os.WriteFile(name, []byte("new"), 0o644))
		},
		"replaced by one of the same size and time": func(t *testing.T, name string) {
			must(t, os.WriteFile(name+".tmp", []byte("new"), 0o644))
			must(t, os.Chtimes(name+".tmp", when, when))
			must(t, os.Rename(name+".tmp", name))
		},
		"replaced by a folder": func(t *testing.T, name string) {
			must(t, os.Remove(name))
			must(t, os.MkdirAll(filepath.Join(name, "in"), 0o755))
		},
		"gone": func(t *testing.T, name string) { must(t, os.Remove(name)) },
	}
	for _, way := range ways {
		for _, after := range []folder.After{{Source: folder.SourceDelete}, {Source: folder.SourceMove, Archive: "old"}} {
			for name, change := range changes {
				if !way.up && strings.Contains(name, "size and time") {
					continue // a server shows nothing but these
				}
				t.Run(fmt.Sprint(way.name, " ", after.Source, " ", name), func(t *testing.T) {
					w := start(t, ftpx.SFTP)
					local := t.TempDir()
					src, _ := way.sides(w, local)
					write(t, src, map[string]string{"a": "old"})
					w.client = &meddler{Client: w.client, after: func(string) { change(t, filepath.Join(src, "a")) }}
					before := ""
					w.client.(*meddler).after = func(string) {
						change(t, filepath.Join(src, "a"))
						before = strings.Join(tree(t, src), "\n")
					}
					s := way.run(t.Context(), w, local, &folder.Options{After: after}).ok(t)
					if after := strings.Join(tree(t, src), "\n"); after != before {
						t.Errorf("the source was %q and is %q", before, after)
					}
					if s.report.Taken != 0 || s.report.Copied != 1 {
						t.Errorf("%+v\n%s", s.report, s)
					}
				})
			}
		}
	}
}

// TestUnprovenSourceIsNotTaken: without a checked size, nothing is deleted.
func TestUnprovenSourceIsNotTaken(t *testing.T) {
	w := start(t, ftpx.SFTP)
	local := t.TempDir()
	write(t, local, map[string]string{"a": "1", "b": "2"})
	w.client = &meddler{Client: w.client, fail: func(local string) (ftpx.Result, error) {
		if filepath.Base(local) == "a" {
			return ftpx.Result{Outcome: ftpx.Done, Size: 1}, nil
		}
		return ftpx.Result{Outcome: ftpx.Unknown, Size: 1, Verified: ftpx.Verified{Size: true}}, nil
	}}
	s := way{up: true}.run(t.Context(), w, local, &folder.Options{After: folder.After{Source: folder.SourceDelete}})
	s.wantError(t, "a", folder.ErrPostProcess, "could not be checked")
	s.wantError(t, "b", folder.ErrPostProcess, "could not be checked")
	holds(t, local, map[string]string{"a": "1", "b": "2"})
}

// afterChild copies in a process of its own, which kills itself when a transfer has
// ended and before anything is done about the source.
func afterChild(args []string) {
	port, _ := strconv.Atoi(args[1])
	client, err := ftpx.Open(context.Background(), "sftp://user@127.0.0.1/", &ftpx.Options{Password: "password", Ports: ftpx.Ports{SFTP: port},
		SSH: transport.SSH{HostKeyFingerprints: []string{args[2]}}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	suicide := &meddler{Client: client, after: func(string) {
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {}
	}}
	opts := &folder.Options{Parallel: 1, Job: "j", After: folder.After{Source: folder.SourceMove, Archive: "old", MarkTarget: ".done"}}
	if args[0] == "upload" {
		_, err = folder.Upload(context.Background(), suicide, args[3], "tree", opts)
	} else {
		_, err = folder.Download(context.Background(), suicide, "tree", args[3], opts)
	}
	fmt.Println("not killed:", err)
	os.Exit(2)
}

// TestKilledBetweenTransferAndMove: the next run finds the file there, proves that and
// only moves the source. One that only looks the same is copied.
func TestKilledBetweenTransferAndMove(t *testing.T) {
	for _, way := range ways {
		for _, size := range []int{1000, 2 << 20} {
			t.Run(fmt.Sprint(way.name, " ", size), func(t *testing.T) {
				w := start(t, ftpx.SFTP)
				local := t.TempDir()
				src, dst := way.sides(w, local)
				text := content(size)
				write(t, src, map[string]string{"d/a": text})
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "FOLDER_AFTER_CHILD="+strings.Join([]string{way.name, strconv.Itoa(w.SFTP.Port()), w.fingerprint(), local}, "\n"))
				out, err := cmd.CombinedOutput()
				if err == nil || len(out) > 0 {
					t.Fatalf("%v: %s", err, out)
				}
				holds(t, src, map[string]string{"d/a": text})
				holds(t, dst, map[string]string{"d/a": text})
				w.since()
				opts := &folder.Options{After: folder.After{Source: folder.SourceMove, Archive: "old", MarkTarget: ".done"}}
				s := way.planThenRun(t, w, local, opts).ok(t)
				if len(s.items) != 1 || s.report.Taken != 1 {
					t.Errorf("%+v\n%s", s.report, s)
				}
				for _, i := range s.items {
					if i.Path == "d/a" && (!i.Result.Unchanged || i.Result.Verified.ReadBack != int64(size)) {
						t.Errorf("it was moved again: %+v", i)
					}
				}
				holds(t, src, map[string]string{"old/d/a": text, "d/": ""})
				holds(t, dst, map[string]string{"d/a": text, "d/a.done": ""})

				// The same size and time, and other bytes.
				write(t, src, map[string]string{"d/a": strings.Repeat("x", size)})
				way.run(t.Context(), w, local, opts).ok(t)
				holds(t, dst, map[string]string{"d/a": strings.Repeat("x", size), "d/a.done": ""})
				if _, err := os.Stat(filepath.Join(src, "d/a")); err == nil {
					t.Error("not moved")
				}
			})
		}
	}
}

// TestLedgerProvesForAfter: what the ledger knows to be copied is only moved, also when
// the receiver has taken it; what looks alike only within Tolerance, or by a sample, is
// copied.
func TestLedgerProvesForAfter(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			big := content(300_000)
			write(t, src, map[string]string{"a": "1", "big": big, "c": "3"})
			l := openLedger(t, filepath.Join(t.TempDir(), "l"))
			opts := &folder.Options{Ledger: l, Once: true, Job: "j"}
			way.run(t.Context(), w, local, opts).ok(t)
			for _, name := range []string{"a", "big", "c"} {
				must(t, os.Remove(filepath.Join(dst, name)))
			}
			opts.After.Source = folder.SourceDelete
			// In the middle, and with another time: head and tail say the same.
			other := big[:150_000] + "!" + big[150_001:]
			write(t, src, map[string]string{"big": other})
			later := when.Add(time.Hour)
			must(t, os.Chtimes(filepath.Join(src, "big"), later, later))
			// Within a second of what the ledger knows.
			if way.up {
				must(t, os.WriteFile(filepath.Join(src, "c"), []byte("C"), 0o644))
				near := when.Add(time.Millisecond)
				must(t, os.Chtimes(filepath.Join(src, "c"), near, near))
			}
			w.since()
			s := way.planThenRun(t, w, local, opts).ok(t)
			transfers, _ := w.since()
			want := map[string]string{"big": other}
			if way.up {
				want["c"] = "C"
			}
			if len(transfers) != len(want) || s.report.Taken != 3 {
				t.Errorf("%d transfers, %+v\n%s", len(transfers), s.report, s)
			}
			holds(t, dst, want)
			holds(t, src, map[string]string{})
			var e ledger.Entry
			for e = range l.History("j") {
				if e.Path == "a" && !strings.HasSuffix(e.Remote, "tree/a") {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

// TestTargetNames: names with fields, a name until it is complete, and two files of one.
func TestTargetNames(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"d/a.csv": "1", "b": "2"})
			opts := &folder.Options{Name: "{stem}-{mtime:2006}.{ext}", FirstName: "in-work.{name}", After: folder.After{MarkTarget: ".done"}}
			s := way.planThenRun(t, w, local, opts).ok(t)
			want := map[string]string{"d/a-2024.csv": "1", "d/a-2024.csv.done": "", "b-2024.": "2", "b-2024..done": ""}
			holds(t, dst, want)
			for _, i := range s.items {
				if i.Path == "d/a.csv" && i.Target != "d/a-2024.csv" {
					t.Errorf("%+v", i)
				}
			}
			if s = way.planThenRun(t, w, local, opts).ok(t); s.report.Unchanged != 2 {
				t.Errorf("%+v\n%s", s.report, s)
			}
			// Killed before the rename: it is there under its first name.
			must(t, os.Rename(filepath.Join(dst, "d/a-2024.csv"), filepath.Join(dst, "d/in-work.a.csv")))
			must(t, os.Remove(filepath.Join(dst, "b-2024..done"))) // and before the marker
			way.planThenRun(t, w, local, opts).ok(t)
			holds(t, dst, want)

			write(t, src, map[string]string{"d/z.csv": "1"})
			opts.Name = "same"
			s = way.planThenRun(t, w, local, opts)
			s.wantError(t, "d/z.csv", folder.ErrName, "another file")
			wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "b", "d/a.csv")
		})
	}
}

// TestDeadLetter: a file that fails for a reason of its own is moved away, with its
// error; others stay where they are.
func TestDeadLetter(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"good": "1", "d/refused": "2", "lost": "3", "inway": "4", "in.part": "5"})
			write(t, dst, map[string]string{"inway/x": ""})
			good := w.client
			w.client = &meddler{Client: good, fail: func(source string) (ftpx.Result, error) {
				switch filepath.Base(source) {
				case "refused":
					return ftpx.Result{}, &ftpx.Error{Outcome: ftpx.NotDone, Op: "upload", Remote: source, Err: &transport.Error{Op: "store", Kind: transport.KindRefused, Err: errors.New("553 no \x1b[2J")}}
				case "lost":
					return ftpx.Result{}, &ftpx.Error{Outcome: ftpx.NotDone, Op: "upload", Remote: source, Err: &transport.Error{Op: "store", Kind: transport.KindLost, Err: errors.New("reset")}}
				}
				return ftpx.Result{Outcome: ftpx.Done, Size: 1, TimeKept: true, Verified: ftpx.Verified{Size: true}}, nil
			}}
			opts := &folder.Options{DeadLetter: "dead"}
			s := way.run(t.Context(), w, local, opts)
			s.wantError(t, "d/refused", nil, "553")
			s.wantError(t, "lost", nil, "reset")
			s.wantError(t, "inway", folder.ErrTypeConflict, "remove one")
			if !errors.Is(s.err, folder.ErrIncomplete) || s.report.Dead != 2 || s.report.Failed != 3 {
				t.Errorf("%v %+v\n%s", s.err, s.report, s)
			}
			note, err := os.ReadFile(filepath.Join(src, "dead/d/refused.error.json"))
			must(t, err)
			var letter struct {
				Path, Kind, Error, Outcome string
				Size                       int64
				Time, Mtime                time.Time
			}
			must(t, json.Unmarshal(note, &letter))
			if letter.Path != "d/refused" || letter.Kind != "refused" || letter.Size != 1 || !letter.Mtime.Equal(when) || !strings.Contains(letter.Error, "553 no") ||
				letter.Outcome != "not done" || regexp.MustCompile(`[\x00-\x09\x1b]|\\u001b`).Match(note) || strings.Contains(string(note), "password") {
				t.Errorf("%s", note)
			}
			way2, err := os.ReadFile(filepath.Join(src, "dead/inway.error.json"))
			must(t, err)
			holds(t, src, map[string]string{"good": "1", "lost": "3", "in.part": "5", "d/": "",
				"dead/d/refused": "2", "dead/d/refused.error.json": string(note), "dead/inway": "4", "dead/inway.error.json": string(way2)})

			// What is there is left alone by later runs.
			w.client = good
			way.planThenRun(t, w, local, opts).ok(t)
			if _, err := os.Stat(filepath.Join(dst, "dead")); err == nil {
				t.Error("the dead letters were copied")
			}
		})
	}
}

func TestWholeFilesOptions(t *testing.T) {
	w := start(t, ftpx.SFTP)
	for words, o := range map[string]folder.Options{
		"Ready.Stable is -1s":         {Ready: folder.Ready{Stable: -time.Second}},
		"Ready.Marker is \"{x}\"":     {Ready: folder.Ready{Marker: "{x}"}},
		"Name is \"a/b\"":             {Name: "a/b"},
		"FirstName is \"tmp\"":        {FirstName: "tmp"},
		"SourceMove without":          {After: folder.After{Source: folder.SourceMove}},
		"Archive is set without":      {After: folder.After{Archive: "x"}},
		"MarkSource is set for":       {After: folder.After{Source: folder.SourceDelete, MarkSource: ".x"}},
		"After.Source is 9":           {After: folder.After{Source: 9}},
		"Links is LinkFollow":         {After: folder.After{Source: folder.SourceDelete}, Links: folder.LinkFollow},
		"Delete is set with":          {Delete: true, DeadLetter: "dead"},
		"it would delete what they":   {Delete: true, After: folder.After{Source: folder.SourceDelete}},
		"that is the folder":          {DeadLetter: "x/.."},
		"are the same":                {Ready: folder.Ready{Marker: ".x"}, After: folder.After{MarkSource: "{name}.x"}},
		"Options.After.MarkTarget is": {After: folder.After{MarkTarget: "{date:2006}"}},
	} {
		local := t.TempDir()
		write(t, local, map[string]string{"a": "1"})
		if _, err := folder.Upload(t.Context(), w.client, local, "in", &o); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
		if _, err := folder.NewUpload(w.client, local, "in", &o); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("NewUpload: %v, want %q", err, words)
		}
	}
	if _, err := folder.Download(t.Context(), w.client, "in", t.TempDir(), &folder.Options{Ready: folder.Ready{Lock: true}}); err == nil || !strings.Contains(err.Error(), "Ready.Lock") {
		t.Error(err)
	}
}
