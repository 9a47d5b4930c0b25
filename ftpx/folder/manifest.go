package folder

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// ManifestName is what a manifest is called by custom. [WriteManifest] leaves out a
// file of that name at the top of the folder.
const ManifestName = "SHA256SUMS"

// WriteManifest writes the SHA-256 of every file of a local folder to w, as sha256sum
// does and `sha256sum -c` checks, in the order of names. Links and unfinished
// transfers are left out. It can be sent along, so that the receiver can check what
// has arrived without trusting the line or the server.
func WriteManifest(ctx context.Context, localDir string, w io.Writer) error {
	root, err := os.OpenRoot(localDir)
	if err != nil {
		return err
	}
	defer root.Close()
	out := bufio.NewWriter(w)
	err = fs.WalkDir(root.FS(), ".", func(rel string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil || !d.Type().IsRegular() || rel == ManifestName {
			return err
		}
		if unfinished(d.Name(), func(name string) bool {
			_, err := root.Lstat(filepath.Join(filepath.Dir(filepath.FromSlash(rel)), name))
			return err == nil
		}) {
			return nil
		}
		sum, err := sumFile(ctx, root, rel)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, sumLine(sum, rel))
		return err
	})
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		return fmt.Errorf("manifest of %q: %w", localDir, err)
	}
	return nil
}

// ErrChecksum: a file is not what the manifest says.
var ErrChecksum = errors.New("the content is not what the manifest says")

// CheckManifest compares the files of a local folder with a manifest, and yields the
// path of each line with nil, [ErrChecksum], or why it could not be read (fs.ErrNotExist
// where it is missing). A line that cannot be understood is an error with the line in
// place of the path. Files that the manifest does not name are not looked at. Names in
// it are hostile input: none leads out of the folder.
func CheckManifest(ctx context.Context, localDir string, manifest io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		root, err := os.OpenRoot(localDir)
		if err != nil {
			yield(localDir, err)
			return
		}
		defer root.Close()
		lines := bufio.NewScanner(manifest)
		for lines.Scan() {
			if err := context.Cause(ctx); err != nil {
				yield("", err)
				return
			}
			line := strings.TrimSuffix(lines.Text(), "\r")
			if line == "" {
				continue
			}
			want, rel, err := parseSum(line)
			if err != nil {
				rel = line
			} else if got, serr := sumFile(ctx, root, rel); serr != nil {
				err = serr
			} else if got != want {
				err = ErrChecksum
			}
			if !yield(rel, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", fmt.Errorf("reading the manifest: %w", err))
		}
	}
}

func sumFile(ctx context.Context, root *os.Root, rel string) (string, error) {
	// Opening a pipe would wait for its writer.
	info, err := root.Stat(filepath.FromSlash(rel))
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%w: %q is not a file", ErrTypeConflict, rel)
	}
	f, err := root.Open(filepath.FromSlash(rel))
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, contextReader{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// contextReader ends when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// A name that would break its line is escaped, and the line begins with a backslash,
// as coreutils have it.
var (
	escapeName   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	unescapeName = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

func sumLine(sum, rel string) string {
	if name := escapeName.Replace(rel); name != rel {
		return `\` + sum + "  " + name
	}
	return sum + "  " + rel
}

func parseSum(line string) (sum, rel string, err error) {
	line, escaped := strings.CutPrefix(line, `\`)
	// Two spaces, or a space and an asterisk for what sha256sum -b has read.
	if len(line) < 2*sha256.Size+3 || line[2*sha256.Size] != ' ' || !strings.ContainsRune(" *", rune(line[2*sha256.Size+1])) {
		return "", "", errors.New("not a line of a manifest: it is \"SHA256  PATH\"")
	}
	sum, rel = strings.ToLower(line[:2*sha256.Size]), line[2*sha256.Size+2:]
	if _, err := hex.DecodeString(sum); err != nil {
		return "", "", fmt.Errorf("not a line of a manifest: %w", err)
	}
	if escaped {
		rel = unescapeName.Replace(rel)
	}
	if !filepath.IsLocal(filepath.FromSlash(rel)) {
		return "", "", fmt.Errorf("%w: it would lead out of the folder", ErrName)
	}
	return sum, rel, nil
}
