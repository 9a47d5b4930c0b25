package sshconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
)

// Limits of what is read. OpenSSH has the first; the others keep a wrongly named
// file, or one that includes everything, from being read for ever.
const (
	maxDepth = 16
	maxFile  = 1 << 20
	maxLines = 100_000
)

// Config is what files say of all hosts. It does not change; [Config.Resolve] looks
// a host up.
type Config struct {
	// AllowUnchecked treats "StrictHostKeyChecking no" (and "off") as
	// accept-new: a host that is not known is trusted and remembered; a changed
	// key still fails, which ssh would let pass. Without it the directive is an
	// error, because it lets anyone on the way read the password.
	AllowUnchecked bool

	files []*file
	home  string
	local string // user name
}

// file is one file, in lines.
type file struct {
	path  string
	user  bool // the user's, not the system's
	given bool // of [Config.With]
	lines []line
}

// line is one directive.
type line struct {
	at       string // file:line, for errors
	keyword  string // in lower case
	args     []string
	included []*file // of Include
}

func (l *line) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", l.at, title(l.keyword), fmt.Errorf(format, args...))
}

// Load reads the given files, which must be there; of a directive in several the
// first counts. Without any it reads ~/.ssh/config and /etc/ssh/ssh_config, as far
// as they exist, and refuses the first if others than the user may write to it.
func Load(files ...string) (*Config, error) {
	c := &Config{}
	if u, err := user.Current(); err == nil {
		c.home, c.local = u.HomeDir, u.Username
		if i := strings.LastIndexByte(c.local, '\\'); i >= 0 { // DOMAIN\user on Windows
			c.local = c.local[i+1:]
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		c.home = home
	}
	l := &loader{home: c.home}
	if len(files) > 0 {
		for _, path := range files {
			f, err := l.load(path, true, 0)
			if err != nil {
				return nil, err
			}
			c.files = append(c.files, f)
		}
		return c, nil
	}
	system := "/etc/ssh/ssh_config"
	if runtime.GOOS == "windows" {
		system = filepath.Join(os.Getenv("ProgramData"), "ssh", "ssh_config")
	}
	l.private = true
	for _, f := range []struct {
		path string
		user bool
	}{{filepath.Join(c.home, ".ssh", "config"), true}, {system, false}} {
		got, err := l.load(f.path, f.user, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c.files = append(c.files, got)
	}
	return c, nil
}

// Parse reads the text of one file, called name in errors. Include is relative to
// ~/.ssh.
func Parse(name, text string) (*Config, error) {
	c, err := Load(os.DevNull)
	if err != nil {
		return nil, err
	}
	l := &loader{home: c.home}
	f, err := l.parse(name, []byte(text), true, 0)
	if err != nil {
		return nil, err
	}
	c.files = []*file{f}
	return c, nil
}

// loader reads files and what they include.
type loader struct {
	home    string
	private bool // the user's files must not be writable by others
	lines   int
}

func (l *loader) load(path string, own bool, depth int) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if l.private && own && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: others may change where connections go: run chmod go-w on it", path, info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes: this is no ssh configuration, it seems", path, maxFile)
	}
	return l.parse(path, data, own, depth)
}

func (l *loader) parse(path string, data []byte, own bool, depth int) (*file, error) {
	out := &file{path: path, user: own}
	for n, text := range bytes.Split(data, []byte("\n")) {
		at := fmt.Sprintf("%s:%d", path, n+1)
		keyword, args, err := split(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		if keyword == "" {
			continue
		}
		if l.lines++; l.lines > maxLines {
			return nil, fmt.Errorf("%s: more than %d lines in all", at, maxLines)
		}
		d := line{at: at, keyword: keyword, args: args}
		if len(args) == 0 {
			return nil, d.errorf("the value is missing")
		}
		if keyword == "include" {
			if d.included, err = l.include(&d, own, depth); err != nil {
				return nil, err
			}
		}
		out.lines = append(out.lines, d)
	}
	return out, nil
}

// include reads what a pattern matches, in the order of names. As in ssh, no match
// is no error. Blocks are judged later: what is in a file that is not active for a
// host must be well written all the same.
func (l *loader) include(d *line, own bool, depth int) ([]*file, error) {
	if depth >= maxDepth {
		return nil, d.errorf("files include each other more than %d deep", maxDepth)
	}
	var out []*file
	for _, pattern := range d.args {
		switch {
		case pattern == "":
			return nil, d.errorf("a file name is empty")
		case strings.HasPrefix(pattern, "~"):
			path, err := tilde(pattern, l.home)
			if err != nil {
				return nil, d.errorf("%w", err)
			}
			pattern = path
		case !filepath.IsAbs(pattern) && own:
			pattern = filepath.Join(l.home, ".ssh", pattern)
		case !filepath.IsAbs(pattern):
			pattern = filepath.Join("/etc/ssh", pattern)
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, d.errorf("%q: %w", pattern, err)
		}
		for _, path := range paths {
			f, err := l.load(path, own, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.at, err)
			}
			out = append(out, f)
		}
	}
	return out, nil
}
