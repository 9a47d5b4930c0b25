package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// TestBadUsage: each is told before anything is dialled, in a line that names the
// remedy, and leaves no folder behind.
func TestBadUsage(t *testing.T) {
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"file": "f"})
	file, in := filepath.Join(dir, "file"), filepath.Join(dir, "in")
	const url = "sftp://batch@127.0.0.1:1/out"
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing":             {nil, "give at least one URL and the FOLDER"},
		"no folder":           {[]string{url}, "give at least one URL and the FOLDER"},
		"two URLs, no folder": {[]string{url, url}, "looks like a URL"},
		"folder is a file":    {[]string{url, file}, "is a file"},
		"order":               {[]string{in, url, dir}, "no scheme"},
		"scp":                 {[]string{"u@host:/out", in}, "write sftp://u@host//out"},
		"flag last":           {[]string{url, in, "-parallel", "0"}, "use 1 or more"},
		"unknown flag":        {[]string{"-to", in, url}, "-to"},
		"parallel 0":          {[]string{"-parallel", "0", url, in}, "use 1 or more"},
		"unknown scheme":      {[]string{"http://batch@127.0.0.1/", in}, "unknown scheme"},
		"malformed URL":       {[]string{"sftp://batch@127.0.0.1:x/", in}, "malformed URL"},
		"CR LF":               {[]string{"sftp://batch@127.0.0.1:1/a%0d%0ab", in}, "CR, LF or NUL"},
		"plain FTP":           {[]string{"ftp://batch@127.0.0.1:1/", in}, "-allow-plaintext"},
		"password":            {[]string{url, "sftp://batch:" + clitest.Password + "@127.0.0.1/", in}, "FTPX_PASSWORD"},
		"password, no folder": {[]string{"sftp://batch:" + clitest.Password + "@127.0.0.1/", "sftp://batch:" + clitest.Password + "@127.0.0.1/"}, "FTPX_PASSWORD"},
	} {
		t.Run(name, func(t *testing.T) {
			s := downloader.Run(t.Context(), t, c.args...).Want(t, cli.ExitUsage, c.says)
			if s.Out != "" || strings.Count(s.Err, "\n") != 1 {
				t.Errorf("stdout: %s, stderr: %s", s.Out, s.Err)
			}
		})
	}
	clitest.Holds(t, dir, map[string]string{"file": "f"})
	s := downloader.Run(t.Context(), t, "-h").Want(t, cli.ExitDone)
	for _, word := range []string{"Examples:", "Exit codes:", "FOLDER"} {
		if !strings.Contains(s.Out, word) {
			t.Errorf("-h does not say %q", word)
		}
	}
}

func TestRefused(t *testing.T) {
	w := clitest.Start(t)
	clitest.Write(t, w.Root, map[string]string{"a": "a"})
	in := filepath.Join(t.TempDir(), "in")
	c := downloader
	c.Vars = map[string]string{"FTPX_PASSWORD": "wrong"}
	c.Run(t.Context(), t, w.Flags(w.URL("a"), in)...).Want(t, cli.ExitLogin, "login refused")
	downloader.Run(t.Context(), t, "-retry-for", "50ms", "-known-hosts", w.KnownHosts, "sftp://batch@127.0.0.1:"+clitest.ClosedPort(t)+"/a", in).
		Want(t, cli.ExitConnect, "refused")
	if _, err := os.Stat(in); err == nil {
		t.Error("without a login a folder was made")
	}
}

// TestFileWithSlash: a URL that ends in a slash asks for what is in a folder.
func TestFileWithSlash(t *testing.T) {
	w := clitest.Start(t)
	clitest.Write(t, w.Root, map[string]string{"dir/a": "a"})
	in := t.TempDir()
	downloader.Run(t.Context(), t, w.Flags(w.URL("dir/a/"), in)...).Want(t, cli.ExitSome, "is not a folder")
	clitest.Holds(t, in, nil)
}

// TestFolderNames: what a URL brings, and under which names.
func TestFolderNames(t *testing.T) {
	w := clitest.Start(t)
	clitest.Write(t, w.Root, map[string]string{"dir/a": "a", "dir/sub/b": "bb", "dir/none/": "", ".hidden": "h", "..dots": "d", "sp ace#?%": "s"})
	dir := func(prefix string) map[string]string {
		return map[string]string{prefix + "a": "a", prefix + "sub/b": "bb", prefix + "none/": ""}
	}
	all := dir("dir/")
	all[".hidden"], all["..dots"], all["sp ace#?%"] = "h", "d", "s"
	for name, c := range map[string]struct {
		urls []string
		want map[string]string
	}{
		"file":             {[]string{"dir/a"}, map[string]string{"a": "a"}},
		"file, escaped":    {[]string{"sp%20ace%23%3F%25"}, map[string]string{"sp ace#?%": "s"}},
		"folder":           {[]string{"dir"}, dir("dir/")},
		"folder slash":     {[]string{"dir/"}, dir("")},
		"absolute":         {[]string{"/dir"}, dir("dir/")},
		"absolute slash":   {[]string{"/dir/"}, dir("")},
		"not clean":        {[]string{"dir/../dir/./sub/"}, map[string]string{"b": "bb"}},
		"login folder":     {[]string{""}, all},
		"root":             {[]string{"/"}, all},
		"up again":         {[]string{"dir/.."}, all},
		"above":            {[]string{".."}, all}, // of the root that is the root
		"empty folder":     {[]string{"dir/none"}, map[string]string{"none/": ""}},
		"several":          {[]string{"dir/a", "dir/sub", ".hidden"}, map[string]string{"a": "a", "sub/b": "bb", ".hidden": "h"}},
		"twice":            {[]string{"dir/a", "dir/a", "dir", "dir"}, func() map[string]string { m := dir("dir/"); m["a"] = "a"; return m }()},
		"file in a folder": {[]string{"dir/sub/b"}, map[string]string{"b": "bb"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := filepath.Join(t.TempDir(), "new", "in")
			before := w.SFTP.Stats().Accepted
			args := w.Flags("-parallel", "1")
			for _, u := range c.urls {
				args = append(args, w.URL(u))
			}
			s := downloader.Run(t.Context(), t, append(args, in)...).Want(t, cli.ExitDone)
			clitest.Holds(t, in, c.want)
			if n := w.SFTP.Stats().Accepted - before; n != 1 {
				t.Errorf("%d connections for %d URLs of one server", n, len(c.urls))
			}
			if strings.Contains(s.Err, "skipped") {
				t.Error(s.Err)
			}
		})
	}
}

// TestOverEach: records, times and -quiet, by each scheme.
func TestOverEach(t *testing.T) {
	files := map[string]string{"nothing": "", "small": "s", "größer.bin": clitest.Content(1<<20 + 1), "d/e/deep": "d"}
	for _, scheme := range []string{"sftp", "ftpes", "ftps", "ftp"} {
		t.Run(scheme, func(t *testing.T) {
			w := clitest.Start(t)
			clitest.Write(t, w.Root, files)
			in := t.TempDir()
			s := downloader.Run(t.Context(), t, w.Flags("-json", "-allow-plaintext", w.URLOf(scheme, ""), in)...).Want(t, cli.ExitDone)
			records, sum := s.Records(t)
			if sum.Done != len(files) || sum.Bytes != 1<<20+3 || s.Err != "" {
				t.Fatalf("%+v, stderr %q", sum, s.Err)
			}
			for _, r := range records {
				if r.Op != "download" || r.Outcome != "done" || r.Protocol == "" || r.Verified == "" || r.Local != filepath.Join(in, r.Remote) || r.Moved != r.Size {
					t.Errorf("%+v", r)
				}
				if info, err := os.Stat(r.Local); err != nil || !info.ModTime().Equal(clitest.When) {
					t.Errorf("%s: time %v, %v", r.Local, info.ModTime(), err)
				}
			}
			clitest.Holds(t, in, files)
			if s := downloader.Run(t.Context(), t, w.Flags("-quiet", "-allow-plaintext", w.URLOf(scheme, ""), in)...).Want(t, cli.ExitDone); s.Out+s.Err != "" {
				t.Errorf("-quiet says %q %q", s.Out, s.Err)
			}
			clitest.Holds(t, in, files)
		})
	}
}

// TestSomeFail: what is not there or has no place is named, the rest is fetched.
func TestSomeFail(t *testing.T) {
	w := clitest.Start(t)
	clitest.Write(t, w.Root, map[string]string{"dir/a": "a", "dir/folder/b": "b", "dir/z": "z"})
	in := t.TempDir()
	downloader.Run(t.Context(), t, w.Flags(w.URL("missing"), w.URL("dir/a"), in)...).
		Want(t, cli.ExitSome, "missing", "no such file", "2 files: 1 done, 1 failed")
	clitest.Holds(t, in, map[string]string{"a": "a"})

	clitest.Write(t, in, map[string]string{"dir/folder": "a file is here", "dir/z/": ""})
	s := downloader.Run(t.Context(), t, w.Flags("-json", w.URL("dir"), in)...).Want(t, cli.ExitSome, "dir/folder", "dir/z")
	records, sum := s.Records(t)
	if sum.Done != 1 || sum.Failed != 2 || records[1].Remote != "dir/folder" || records[1].Error == "" {
		t.Errorf("%+v %+v", records, sum)
	}
	clitest.Holds(t, in, map[string]string{"a": "a", "dir/a": "a", "dir/folder": "a file is here", "dir/z/": ""})
}

// TestLinks: links to files are files, links to folders are told of, and one that
// leads nowhere fails alone.
func TestLinks(t *testing.T) {
	for _, scheme := range []string{"sftp", "ftpes"} {
		t.Run(scheme, func(t *testing.T) {
			w := clitest.Start(t)
			clitest.Write(t, w.Root, map[string]string{"real/a": "a", "dir/b": "b"})
			for name, target := range map[string]string{"dir/file": "../real/a", "dir/folder": "../real", "dir/circle": ".", "dir/dangling": "nowhere", "alias": "dir"} {
				if err := os.Symlink(target, filepath.Join(w.Root, name)); err != nil {
					t.Skip(err)
				}
			}
			in := t.TempDir()
			s := downloader.Run(t.Context(), t, w.Flags(w.URLOf(scheme, "alias"), in)...).Want(t, cli.ExitSome, "dangling", "alias/folder", "alias/circle")
			// The FTP server calls every link a file: then those to folders fail.
			if n := strings.Count(s.Err, "skipped"); n != 2 && scheme == "sftp" {
				t.Errorf("%d are skipped: %s", n, s.Err)
			}
			clitest.Holds(t, in, map[string]string{"alias/b": "b", "alias/file": "a"})
		})
	}
}

// TestTerminal: with bars a run ends and no result is lost.
func TestTerminal(t *testing.T) {
	w := clitest.Start(t)
	files := map[string]string{"zero": "", "one": "1", "big": clitest.Content(3 << 20)}
	clitest.Write(t, w.Root, files)
	c := downloader
	c.Terminal, c.StdoutTerminal = true, true
	in := t.TempDir()
	s := c.Run(t.Context(), t, w.Flags(w.URL(""), w.URL("missing"), in)...).Want(t, cli.ExitSome, "missing", "4 files: 3 done, 1 failed")
	if n := strings.Count(s.Err, "done "+in); n != 3 {
		t.Errorf("%d of 3 results are shown: %q", n, s.Err)
	}
	clitest.Holds(t, in, files)
}
