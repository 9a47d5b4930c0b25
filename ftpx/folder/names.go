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
	why := transport.MisleadingName(name, runtime.GOOS == "windows")
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

// fold makes one name of those that differ only in case. Up and down again, because
// some letters share a capital only.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

var (
	// ftpx's partials of uploads, and what it puts aside where a server cannot
	// replace a file in one step; see ftpx/internal/upload/partial.go.
	uploadRest = regexp.MustCompile(`^\..+\.ftpx-[0-9a-f]{16}((-[0-9]+)?\.part|\.bak)$`)
	// What it keeps beside an unfinished download; see ftpx/internal/download/state.go. The number
	// is that of a temporary file.
	downloadState = regexp.MustCompile(`.\.part\.state(\.[0-9]+)?$`)
)

// unfinished reports whether a name is that of an unfinished transfer. A name that
// ends in ".part" is one only beside its state: others have files of that name too.
func unfinished(name string, sibling func(name string) bool) bool {
	return uploadRest.MatchString(name) || downloadState.MatchString(name) ||
		strings.HasSuffix(name, ".part") && sibling(name+".state")
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
