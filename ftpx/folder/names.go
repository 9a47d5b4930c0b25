package folder

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// localName refuses a name out of a server's listing that would lead out of the
// local folder, or that means something else on this system.
func localName(name string) error {
	why := misleading(name, runtime.GOOS == "windows")
	if why == "" && !filepath.IsLocal(name) {
		why = "would lead out of the folder"
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w: the server's name %q %s: rename it there, or exclude it", ErrName, transport.Printable(name), why)
}

// remoteName refuses a name that cannot be part of a remote path.
func remoteName(name string) error {
	if err := transport.CheckPath(name); err != nil {
		return fmt.Errorf("%w: %w", ErrName, err)
	}
	if name == "." || name == ".." || strings.Contains(name, "/") {
		return fmt.Errorf("%w: %q would lead elsewhere", ErrName, transport.Printable(name))
	}
	return nil
}

// misleading says what is wrong with one name of a listing, or nothing. Windows has
// rules of its own, which go by the name, not by what the file system then does.
func misleading(name string, windows bool) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "would lead out of the folder"
	case strings.Contains(name, "/"):
		return "holds a separator"
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return "holds control characters"
		}
	}
	switch {
	case !windows:
	case strings.ContainsAny(name, `\:`):
		return "names a drive, a stream or a path on Windows"
	case strings.ContainsAny(name, `<>"|?*`):
		return "holds characters that Windows allows in no name"
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "ends in a dot or a space, which Windows leaves out"
	case device(name):
		return "is a device on Windows"
	}
	return ""
}

// device reports whether Windows takes a name for a device, whatever its
// extension: "nul.txt" is NUL. Superscript digits count as digits.
func device(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(base, port); ok && n != "" && strings.Contains(" 0 1 2 3 4 5 6 7 8 9 ¹ ² ³ ", " "+n+" ") {
			return true
		}
	}
	return false
}

// fold makes one name of those that differ only in case. Up and down again, because
// some letters share a capital only.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

var (
	// ftpx's partials of uploads, and what it puts aside where a server cannot
	// replace a file in one step; see ftpx/partial.go.
	uploadRest = regexp.MustCompile(`^\..+\.ftpx-[0-9a-f]{16}((-[0-9]+)?\.part|\.bak)$`)
	// What it keeps beside an unfinished download; see ftpx/sidecar.go. The number
	// is that of a temporary file.
	downloadState = regexp.MustCompile(`.\.part\.state(\.[0-9]+)?$`)
)

// unfinished reports whether a name is that of an unfinished transfer. A name that
// ends in ".part" is one only beside its state: others have files of that name too.
func unfinished(name string, beside func(name string) bool) bool {
	return uploadRest.MatchString(name) || downloadState.MatchString(name) ||
		strings.HasSuffix(name, ".part") && beside(name+".state")
}

// partOf returns the file whose download would use a name for itself, "" for none.
func partOf(name string) string {
	if i := strings.LastIndex(name, ".part.state"); i > 0 {
		return name[:i]
	}
	if base, ok := strings.CutSuffix(name, ".part"); ok {
		return base
	}
	return ""
}

// join appends a name, which has been checked, to a path within the folder.
func join(rel, name string) string {
	if rel == "." {
		return name
	}
	return path.Join(rel, name)
}

// say is join for a name that may be anything: to tell of, not to use.
func say(rel, name string) string {
	if rel == "." {
		return name
	}
	return rel + "/" + name
}
