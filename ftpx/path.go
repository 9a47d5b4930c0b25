package ftpx

import (
	"fmt"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// resolve makes a caller's remote path one that a driver takes: relative ones
// start from the base, and the result is clean.
func (c *client) resolve(p string) (string, error) {
	if err := transport.CheckPath(p); err != nil {
		return "", asInvalid(fmt.Errorf("remote path %q: %w", transport.Printable(p), err))
	}
	if strings.HasPrefix(p, "/") {
		return path.Clean(p), nil
	}
	return path.Join(c.cfg.Base, p), nil
}

// orBase is the path of a call that looks or makes folders: there "" is the base, as it is
// for package folder. What removes, renames or changes refuses it, since an empty string is
// more often a mistake.
func orBase(p string) string {
	if p == "" {
		return "."
	}
	return p
}

// resolveFile is resolve for the target of a transfer, which must have a name.
func (c *client) resolveFile(p string) (string, error) {
	if strings.HasSuffix(p, "/") {
		return "", asInvalid(fmt.Errorf("remote path %q ends in a slash: add the file's name", p))
	}
	r, err := c.resolve(p)
	if err != nil {
		return "", err
	}
	if b := path.Base(path.Clean(p)); b == "." || b == ".." || b == "/" || path.Base(r) == "." {
		return "", asInvalid(fmt.Errorf("remote path %q names no file: add its name", p))
	}
	return r, nil
}

// badName reports whether a name out of a listing cannot be what one entry of a
// folder is called, and would lead elsewhere if it were followed.
func badName(name string) bool {
	return name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00\r\n")
}
