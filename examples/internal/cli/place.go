package cli

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Place is an argument that names something here or on a server: a local path,
// [user@]host:path as scp has it, or a URL.
type Place struct {
	// Text is the argument as it was written.
	Text string
	// Remote says that it is on a server.
	Remote bool
	// URL is scheme://[user@]host[:port], of a URL.
	URL string
	// Alias is [user@]host, of the form that scp has.
	Alias string
	// Path is the path, "" for the login folder.
	Path string
}

// scpPlace is [user@]host:path. Before the colon there is no slash, so that "./a:b" is a
// local file.
var scpPlace = regexp.MustCompile(`^((?:[^/@:\s]+@)?(?:[^/@:\s\\\[\]]+|\[[0-9A-Fa-f:.%]+\])):(.*)$`)

// ParsePlace reads an argument. It connects to nothing. Its errors are [ErrUsage].
func ParsePlace(arg string) (Place, error) {
	p := Place{Text: arg, Path: arg}
	if arg == "" {
		return p, fmt.Errorf("%w: an argument is empty: \".\" is the current folder, and host: the login folder", ErrUsage)
	}
	if strings.ContainsAny(arg, "\r\n\x00") {
		return p, fmt.Errorf("%w: an argument holds CR, LF or NUL: remove it", ErrUsage)
	}
	if scheme, rest, ok := strings.Cut(arg, "://"); ok && !strings.ContainsAny(scheme, "/\\") {
		if _, err := ParseURL(arg, nil); err != nil {
			return p, err
		}
		authority, below, slash := strings.Cut(rest, "/")
		p.Remote, p.URL = true, scheme+"://"+authority
		if p.Path = ""; slash {
			plain, err := Unescape(below)
			if err != nil {
				return p, err
			}
			p.Path = plain
		}
		return p, nil
	}
	m := scpPlace.FindStringSubmatch(arg)
	if m == nil || filepath.VolumeName(arg) != "" {
		return p, nil
	}
	p.Remote, p.Alias, p.Path = true, m[1], m[2]
	if rest, ok := strings.CutPrefix(p.Path, "~"); ok && (rest == "" || rest[0] == '/') {
		p.Path = strings.TrimPrefix(rest, "/") // relative paths begin in the login folder
	}
	return p, nil
}

// ParseRemote is [ParsePlace] for an argument that is a URL. Its errors are [ErrUsage].
func ParseRemote(url string) (Place, error) {
	cfg, err := ParseURL(url, nil)
	if err == nil && cfg.Base != "" {
		if err = transport.CheckPath(cfg.Base); err != nil {
			err = fmt.Errorf("%w: %w", ErrUsage, err)
		}
	}
	if err != nil {
		return Place{Text: url}, err
	}
	return ParsePlace(url)
}

// Folder is the place as one that says by its form that it is a folder.
func (p Place) Folder() Place {
	if !p.IsFolder() {
		p.Path += "/"
	}
	return p
}

// Host is the server of a place, by which connections are told apart.
func (p Place) Host() string {
	if p.URL != "" {
		return p.URL
	}
	return p.Alias
}

// Full is the remote path, never empty.
func (p Place) Full() string {
	if p.Path == "" {
		return "."
	}
	return path.Clean(p.Path)
}

// IsFolder reports whether the place says by its form that it is a folder, or what is in
// one: it ends in a slash, or names the login folder, "." or "..".
func (p Place) IsFolder() bool {
	base := path.Base(p.Full())
	return p.Path == "" || strings.HasSuffix(p.Path, "/") || base == "." || base == ".." || base == "/"
}

// At writes a remote path as an argument that means it.
func (p Place) At(remote string) string {
	if p.Alias != "" {
		return p.Alias + ":" + remote
	}
	return p.URL + "/" + remote
}

// name is the host as it was written, without user and port; "" for none.
func (p Place) name() string {
	host := p.Host()
	host = host[strings.LastIndexAny(host, "@/")+1:]
	if i := strings.LastIndexByte(host, ':'); i >= 0 && p.URL != "" {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}
