package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers lists the folders from the top of the arrow to its end. A package may
// import its own layer and those after it.
var layers = []string{"examples", "ftpx", "retry", "transport"}

// keepers says which folder alone may import a library, so that replacing it
// touches one place and its types never leak into the public face. Tests may, to
// compare with the bare library, and internal may, for its servers and benchmarks;
// the retry library is strict.
var keepers = []struct {
	library, folder string
	beneath         bool // packages beneath the folder may too
	strict          bool // tests and internal may not
}{
	{library: "github.com/cenkalti/backoff/v4", folder: "retry", strict: true},
	{library: "github.com/jlaffaye/ftp", folder: "transport", beneath: true},
	{library: "github.com/pkg/sftp", folder: "transport", beneath: true},
}

// testKits are packages for the tests of programs that use this module. They are
// made of internal's servers, which those programs cannot import by themselves;
// so they may use internal, and no code of the module but tests may use them.
var testKits = []string{"ftpx/ftpxtest"}

// rooms are the packages of a client, from the face inwards: one may import those after
// it, and none but these imports them.
var rooms = []string{"ftpx", "ftpx/internal/health", "ftpx/internal/download", "ftpx/internal/upload", "ftpx/internal/remotefs", "ftpx/internal/transfer", "ftpx/internal/session"}

// checkImports complains about imports against the arrow
// examples -> ftpx -> retry -> transport -> libraries, about the module's code
// using internal, about package ftpx using what is built on it, and about
// libraries imported outside their folder.
func checkImports(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		for _, spec := range f.ast.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				bad = append(bad, t.at(spec.Pos(), "unreadable import %s", spec.Path.Value))
				continue
			}
			if why := t.wrongImport(f, target); why != "" {
				bad = append(bad, t.at(spec.Pos(), "%s", why))
			}
		}
	}
	return bad
}

// wrongImport says what is wrong with a file's import, or nothing.
func (t *tree) wrongImport(f *sourceFile, target string) string {
	inside, ok := strings.CutPrefix(target, t.module+"/")
	if target == t.module {
		inside, ok = ".", true
	}
	if !ok {
		return wrongLibrary(f, target)
	}
	from := layerOf(f.dir())
	if from < 0 { // internal may use everything
		if f.dir() == "." {
			return "the module's map imports nothing, but here is " + target
		}
		return ""
	}
	to := layerOf(inside)
	switch {
	case to < 0 && f.test():
		return ""
	case to < 0 && within(inside, "internal") && slices.Contains(testKits, f.dir()):
		return ""
	case slices.Contains(testKits, inside) && !f.test():
		return fmt.Sprintf("%s must not import %s: that is for tests", f.dir(), target)
	case to < 0 && layers[from] == "examples" && within(inside, "internal"):
		return "" // the demo runs on the embedded servers
	case to < 0:
		return fmt.Sprintf("%s must not import %s: internal serves tests, demo and benchmarks", f.dir(), target)
	case to < from:
		return fmt.Sprintf("%s must not import %s: the arrow runs %s", f.dir(), target, strings.Join(layers, " -> "))
	case slices.Contains(rooms, inside) && slices.Contains(rooms, f.dir()):
		if slices.Index(rooms, inside) < slices.Index(rooms, f.dir()) && !f.test() {
			return fmt.Sprintf("%s must not import %s: a client's packages are %s", f.dir(), target, strings.Join(rooms, " -> "))
		}
		return ""
	case within(inside, "ftpx/internal") && !f.test():
		return fmt.Sprintf("%s must not import %s: what is built on the client uses its public face", f.dir(), target)
	case f.dir() == "ftpx" && inside != "ftpx" && within(inside, "ftpx") && !f.test():
		return fmt.Sprintf("ftpx must not import %s: what is built on the client uses it, not the other way", target)
	}
	return ""
}

// wrongLibrary says which keeper a foreign import passes by, or nothing.
func wrongLibrary(f *sourceFile, target string) string {
	for _, k := range keepers {
		if target != k.library && !strings.HasPrefix(target, k.library+"/") {
			continue
		}
		if f.dir() == k.folder || k.beneath && f.within(k.folder) {
			continue
		}
		if !k.strict && (f.test() || f.within("internal")) {
			continue
		}
		return fmt.Sprintf("%s must not import %s: that belongs to %s", f.dir(), target, k.folder)
	}
	return ""
}

// layerOf returns a folder's place in layers, -1 for the top folder and internal.
func layerOf(dir string) int {
	for i, l := range layers {
		if within(dir, l) {
			return i
		}
	}
	return -1
}

func TestImportsRunOneWay(t *testing.T) { none(t, checkImports(theModule(t))) }

func TestImportRulesCanFail(t *testing.T) {
	file := func(imports ...string) string {
		text := "package p\n"
		for _, i := range imports {
			text += "import _ \"" + i + "\"\n"
		}
		return text
	}
	const m, backoff, ftp, sftp = "example.test/m/", "github.com/cenkalti/backoff/v4", "github.com/jlaffaye/ftp", "github.com/pkg/sftp"
	exactly(t, checkImports(madeUp(t, map[string]string{
		"doc.go":                     file(m + "ftpx"),
		"examples/up/main.go":        file(m+"ftpx", m+"retry", m+"internal/server", backoff),
		"ftpx/client.go":             file(m+"retry", m+"transport", m+"examples/up", m+"ftpx/mirror"),
		"ftpx/mirror/mirror.go":      file(m+"ftpx", sftp),
		"ftpx/mirror/inner.go":       file(m + "ftpx/internal/session"),
		"ftpx/face.go":               file(m+"ftpx/internal/upload", m+"ftpx/internal/session"),
		"ftpx/internal/session/s.go": file(m+"retry", m+"ftpx/internal/upload"),
		"ftpx/internal/upload/u.go":  file(m+"ftpx/internal/session", m+"ftpx/internal/transfer", m+"ftpx"),
		"ftpx/mirror/kit.go":         file(m + "ftpx/ftpxtest"),
		"ftpx/mirror/kit_test.go":    file(m + "ftpx/ftpxtest"),
		"ftpx/ftpxtest/server.go":    file(m+"ftpx", m+"internal/server", sftp),
		"ftpx/ftpxtest/sub/s.go":     file(m + "internal/server"),
		"ftpx/client_test.go":        file(m+"internal/server", m+"ftpx/mirror", ftp, sftp),
		"ftpx/backoff_test.go":       file(backoff),
		"ftpx/client_windows.go":     file(m + "internal/server"),
		"retry/loop.go":              file(m+"transport", m+"ftpx", backoff),
		"retry/sub/sub.go":           file(backoff),
		"transport/conn.go":          file(m+"retry", m),
		"transport/drv/driver.go":    file(m+"transport", ftp, sftp),
		"transport/drv/x_test.go":    file(m + "ftpx"),
		"internal/server/s.go":       file(m+"transport", m+"ftpx", sftp, ftp),
		"internal/server/b.go":       file(backoff),
		"internal/server/sftpx.go": file(
			"github.com/pkg/sftp2"), // a name that only begins alike
	})),
		"doc.go:2: the module's map imports nothing",
		"examples/up/main.go:5: examples/up must not import github.com/cenkalti/backoff/v4",
		"ftpx/client.go:4: ftpx must not import example.test/m/examples/up",
		"ftpx/client.go:5: ftpx must not import example.test/m/ftpx/mirror",
		"ftpx/mirror/mirror.go:3: ftpx/mirror must not import github.com/pkg/sftp",
		"ftpx/mirror/inner.go:2: ftpx/mirror must not import example.test/m/ftpx/internal/session: what is built on the client",
		"ftpx/internal/session/s.go:3: ftpx/internal/session must not import example.test/m/ftpx/internal/upload: a client's packages are",
		"ftpx/internal/upload/u.go:4: ftpx/internal/upload must not import example.test/m/ftpx: a client's packages are",
		"ftpx/mirror/kit.go:2: ftpx/mirror must not import example.test/m/ftpx/ftpxtest: that is for tests",
		"ftpx/ftpxtest/server.go:4: ftpx/ftpxtest must not import github.com/pkg/sftp",
		"ftpx/ftpxtest/sub/s.go:2: ftpx/ftpxtest/sub must not import example.test/m/internal/server",
		"ftpx/backoff_test.go:2: ftpx must not import github.com/cenkalti/backoff/v4",
		"ftpx/client_windows.go:2: ftpx must not import example.test/m/internal/server",
		"retry/loop.go:3: retry must not import example.test/m/ftpx",
		"retry/sub/sub.go:2: retry/sub must not import github.com/cenkalti/backoff/v4",
		"transport/conn.go:2: transport must not import example.test/m/retry",
		"transport/conn.go:3: transport must not import",
		"transport/drv/x_test.go:2: transport/drv must not import example.test/m/ftpx",
		"internal/server/b.go:2: internal/server must not import github.com/cenkalti/backoff/v4",
	)
}
