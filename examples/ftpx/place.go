package main

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

// place is an argument: a local path, or one on a server.
type place struct {
	text   string // as it was written
	remote bool
	url    string // scheme://[user@]host[:port], of a URL
	alias  string // [user@]host, of the form that scp has
	path   string // local or remote, as it was written; "" for the login folder
}

// scpForm is [user@]host:path. Before the colon there is no slash, so that "./a:b" is a
// local file; a single letter is a drive.
var scpForm = regexp.MustCompile(`^((?:[^/@:\s]+@)?(?:[^/@:\s\\\[\]]{2,}|[^/@:\s\\\[\]]|\[[0-9A-Fa-f:.%]+\])):(.*)$`)

// parsePlace reads an argument. It connects to nothing.
func parsePlace(arg string) (place, error) {
	p := place{text: arg, path: arg}
	if arg == "" {
		return p, fmt.Errorf("%w: an argument is empty: \".\" is the current folder, and host: the login folder", cli.ErrUsage)
	}
	if scheme, rest, ok := strings.Cut(arg, "://"); ok && !strings.ContainsAny(scheme, "/\\") {
		if _, err := cli.ParseURL(arg, nil); err != nil {
			return p, err
		}
		authority, below, slash := strings.Cut(rest, "/")
		p.remote, p.url = true, scheme+"://"+authority
		if p.path = ""; slash {
			unescaped, err := cli.Unescape(below)
			if err != nil {
				return p, err
			}
			p.path = unescaped
		}
		return p, nil
	}
	m := scpForm.FindStringSubmatch(arg)
	if m == nil || len(m[1]) == 1 && filepath.VolumeName(arg) != "" {
		return p, nil
	}
	p.remote, p.alias, p.path = true, m[1], m[2]
	if rest, ok := strings.CutPrefix(p.path, "~/"); ok || p.path == "~" {
		p.path = strings.TrimPrefix(rest, "~") // the login folder is where relative paths begin
	}
	return p, nil
}

// host is the server of a place, as connections are told apart by it.
func (p place) host() string {
	if p.url != "" {
		return p.url
	}
	return p.alias
}

// full is the remote path, never empty.
func (p place) full() string {
	if p.path == "" {
		return "."
	}
	return path.Clean(p.path)
}

// at writes a remote path as an argument that means it.
func (p place) at(remote string) string {
	if p.alias != "" {
		return p.alias + ":" + remote
	}
	return p.url + "/" + remote
}
