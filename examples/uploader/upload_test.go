package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestFolderNames: what a SOURCE is called on the server.
func TestFolderNames(t *testing.T) {
	w := clitest.Start(t)
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"dir/a": "a", "dir/sub/b": "bb", "dir/none/": "", "one": "1", "sp ace/c": "c"})
	t.Chdir(src)
	in := func(prefix string) map[string]string {
		return map[string]string{prefix + "a": "a", prefix + "sub/b": "bb", prefix + "none/": ""}
	}
	for name, c := range map[string]struct {
		cwd     string
		sources []string
		want    map[string]string
	}{
		"dir":            {".", []string{"dir"}, in("to/dir/")},
		"dir slash":      {".", []string{"dir/"}, in("to/")},
		"dot":            {"dir", []string{"."}, in("to/")},
		"dot slash":      {"dir", []string{"./"}, in("to/")},
		"dot dot":        {"dir/sub", []string{".."}, in("to/")},
		"by dot":         {".", []string{"dir/."}, in("to/")},
		"by dot dot":     {".", []string{"dir/sub/.."}, in("to/")},
		"dot dot slash":  {"dir/sub", []string{"../"}, in("to/")},
		"absolute":       {".", []string{filepath.Join(src, "dir")}, in("to/dir/")},
		"empty folder":   {".", []string{"dir/none"}, map[string]string{"to/none/": ""}},
		"file":           {".", []string{"one"}, map[string]string{"to/one": "1"}},
		"several":        {".", []string{"one", "dir/sub/", "sp ace"}, map[string]string{"to/one": "1", "to/b": "bb", "to/sp ace/c": "c"}},
		"empty contents": {".", []string{"dir/none/"}, map[string]string{"to/": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(w.Root, strings.ReplaceAll(name, " ", "-"))
			if err := os.Mkdir(root, 0o777); err != nil {
				t.Fatal(err)
			}
			t.Chdir(filepath.Join(src, c.cwd))
			uploader.Run(t.Context(), t, w.Flags(append(c.sources, w.URL(filepath.Base(root)+"/to"))...)...).Want(t, cli.ExitDone)
			clitest.Holds(t, root, c.want)
		})
	}
}

// TestOverEach sends a folder by each scheme, twice: the second time nothing moves
// of what is worth looking at first.
func TestOverEach(t *testing.T) {
	src := t.TempDir()
	files := map[string]string{"nothing": "", "small": "s", "größer.bin": clitest.Content(1<<20 + 1), "d/e/deep": "d"}
	clitest.Write(t, src, files)
	for _, scheme := range []string{"sftp", "ftpes", "ftps", "ftp"} {
		t.Run(scheme, func(t *testing.T) {
			w := clitest.Start(t)
			args := w.Flags("-json", "-allow-plaintext", src+"/", w.URLOf(scheme, ""))
			for run := range 2 {
				s := uploader.Run(t.Context(), t, args...).Want(t, cli.ExitDone)
				records, sum := s.Records(t)
				if sum.Done != len(files) || sum.Bytes != 1<<20+3 || s.Err != "" {
					t.Fatalf("%+v, stderr %q", sum, s.Err)
				}
				for _, r := range records {
					big := r.Size > 1<<20
					if r.Op != "upload" || r.Outcome != "done" || r.Protocol == "" || r.Verified == "" || r.Error != "" || r.Local != filepath.Join(src, r.Remote) {
						t.Errorf("%+v", r)
					}
					if r.Unchanged != (run == 1 && big) || r.Unchanged && r.Moved != 0 || !r.Unchanged && r.Moved != r.Size {
						t.Errorf("run %d: %+v", run, r)
					}
				}
				clitest.Holds(t, w.Root, files)
				info, err := os.Stat(filepath.Join(w.Root, "größer.bin"))
				if err != nil || !info.ModTime().Equal(clitest.When) {
					t.Errorf("time %v, %v", info.ModTime(), err)
				}
			}
			s := uploader.Run(t.Context(), t, w.Flags("-allow-plaintext", src+"/", w.URLOf(scheme, ""))...).Want(t, cli.ExitDone, "4 files: 4 done, 0 failed")
			if !strings.Contains(s.Out, "unchanged") || strings.Count(s.Out, "\n") != 4 || strings.Count(s.Out, "done ") != 4 {
				t.Errorf("stdout: %s", s.Out)
			}
			if s := uploader.Run(t.Context(), t, w.Flags("-quiet", "-allow-plaintext", src+"/", w.URLOf(scheme, ""))...).Want(t, cli.ExitDone); s.Out+s.Err != "" {
				t.Errorf("-quiet says %q %q", s.Out, s.Err)
			}
		})
	}
}

// TestLinks: links to files are files, links to folders are told of, and one that
// leads nowhere fails without stopping the others.
func TestLinks(t *testing.T) {
	w := clitest.Start(t)
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"real/a": "a", "dir/b": "b", "dir/only/": ""})
	for name, target := range map[string]string{"dir/file": "../real/a", "dir/folder": "../real", "dir/only/circle": "..", "dir/dangling": "nowhere", "alias": "dir"} {
		if err := os.Symlink(target, filepath.Join(src, name)); err != nil {
			t.Skip(err)
		}
	}
	want := map[string]string{"alias/b": "b", "alias/file": "a", "alias/only/": ""}
	args := w.Flags(filepath.Join(src, "alias"), w.URL(""))
	s := uploader.Run(t.Context(), t, args...).Want(t, cli.ExitSome, "dangling", "no such file", "skipped", "alias/folder", "circle", "3 files: 2 done, 1 failed")
	if n := strings.Count(s.Err, "skipped"); n != 2 {
		t.Errorf("%d are skipped: %s", n, s.Err)
	}
	clitest.Holds(t, w.Root, want)
	if s := uploader.Run(t.Context(), t, append([]string{"-quiet"}, args...)...).Want(t, cli.ExitSome, "dangling"); strings.Contains(s.Err, "skipped") {
		t.Errorf("-quiet tells of what is no failure: %s", s.Err)
	}
	s = uploader.Run(t.Context(), t, append([]string{"-json"}, args...)...).Want(t, cli.ExitSome)
	records, sum := s.Records(t)
	if sum.Failed != 1 || records[1].Outcome != "not done" || records[1].Error == "" || records[1].Kind == "" || records[1].Remote != "alias/dangling" {
		t.Errorf("%+v", records)
	}
}

// TestHostileNames: names that a disk holds and no server must see, or no terminal.
func TestHostileNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("such names are no names here")
	}
	w := clitest.Start(t)
	src := t.TempDir()
	good := map[string]string{"good": "g", "esc\x1b[31m": "e", "bell\a": "b", "c1\u009b2J": "c", "turn\u202egnp": "t", "del\x7f": "d", "latin\xe9": "l"}
	clitest.Write(t, src, good)
	clitest.Write(t, src, map[string]string{"bad\r\nDELE good": "x", "dir\n/file": "y", "empty\n/": ""})
	args := w.Flags("-v", src+"/", w.URL(""))
	for _, more := range []string{"-json", "-v", "-quiet"} {
		s := uploader.Run(t.Context(), t, append([]string{more}, args...)...).Want(t, cli.ExitSome, "CR, LF or NUL", "rename the file")
		clitest.Holds(t, w.Root, good)
		for _, text := range []string{s.Out, s.Err} {
			if strings.ContainsAny(text, "\u202e\u2028") {
				t.Errorf("what turns the writing round is shown: %q", text)
			}
		}
		if more == "-json" {
			records, sum := s.Records(t)
			if sum.Done != len(good) || sum.Failed != 3 {
				t.Errorf("%+v", sum)
			}
			found := false
			for _, r := range records {
				found = found || r.Remote == "c1\u009b2J"
			}
			if !found {
				t.Error("a name did not come back out of JSON as it is")
			}
		}
	}
}

func TestPasswordSources(t *testing.T) {
	w := clitest.Start(t)
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a", "crlf": clitest.Password + "\r\n", "open": clitest.Password + "\n", "wrong": "wrong"})
	name := func(s string) string { return filepath.Join(src, s) }
	for _, f := range []string{"crlf", "wrong"} {
		if err := os.Chmod(name(f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(name("open"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := uploader
	c.Vars = map[string]string{"FTPX_PASSWORD": "wrong"}
	if s := c.Run(t.Context(), t, w.Flags("-quiet", "-password-file", name("crlf"), name("a"), w.URL(""))...).Want(t, cli.ExitDone); s.Err != "" {
		t.Errorf("stderr: %s", s.Err)
	}
	s := c.Run(t.Context(), t, w.Flags("-password-file", name("open"), name("a"), w.URL(""))...).Want(t, cli.ExitDone)
	if warned := strings.Contains(s.Err, "chmod 600"); warned != (runtime.GOOS != "windows") {
		t.Errorf("stderr: %s", s.Err)
	}
	uploader.Run(t.Context(), t, w.Flags("-password-file", name("wrong"), name("a"), w.URL(""))...).Want(t, cli.ExitLogin)
}

func TestKeys(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	w := clitest.Start(t, func(o *testserver.TrioOptions) {
		o.SFTP = func(s *testserver.SFTPOptions) {
			s.NoPassword, s.AuthorizedKeys = true, []ssh.PublicKey{key.Public()}
		}
	})
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a", "c": "c"})
	locked := filepath.Join(t.TempDir(), "id_ed25519")
	if err := key.WriteFiles(locked, "open sesame"); err != nil {
		t.Fatal(err)
	}
	// Deriving a key takes its time: one connection, and no protocol to fall back on.
	args := w.Flags("-parallel", "1", "-identity", locked, src+"/", w.URLOf("sftp", ""))
	with := func(passphrase string) clitest.Command {
		c := uploader
		c.Vars = map[string]string{"FTPX_PASSPHRASE": passphrase, "FTPX_PASSWORD": ""}
		return c
	}
	with("").Run(t.Context(), t, args...).Want(t, cli.ExitLogin, "encrypted", "FTPX_PASSPHRASE")
	with("open sesame").Run(t.Context(), t, args...).Want(t, cli.ExitDone)
	clitest.Holds(t, w.Root, clitest.Tree(t, src))

	// Typed, it is asked for once, and before anything is dialled.
	c, asked := with(""), 0
	c.Prompt = func(context.Context, string) (string, error) {
		asked++
		return "open sesame", nil
	}
	before := w.SFTP.Stats().Accepted
	c.Run(t.Context(), t, "-identity", locked, filepath.Join(src, "a"), "sftp://batch@127.0.0.1:0/")
	if w.SFTP.Stats().Accepted != before || asked != 0 {
		t.Error("bad usage is found before a passphrase is asked for")
	}
	c.Run(t.Context(), t, args...).Want(t, cli.ExitDone)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
