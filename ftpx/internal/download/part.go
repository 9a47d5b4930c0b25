package download

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errPartHeld says that another process, or another client of this one, has the
// part open for writing.
var errPartHeld = errors.New("another download is writing it")

// maxStateTail is how much the longest name of a file beside a part, the state
// while it is being written, adds to that of the part.
const maxStateTail = len(".state.0")

// PartNames are the names that the part of a local file may have, the preferred
// one first. The second is for where the first is taken by a file that is not
// ours, or is too long with what is added to it: the file's name, clipped, with a
// hash of the whole of it, so that two long names do not meet. It depends on
// nothing else, so that a later call finds it.
func PartNames(local string) []string {
	dir, base := filepath.Split(local)
	sum := sha256.Sum256([]byte(base))
	tail := ".ftpx-" + hex.EncodeToString(sum[:8]) + ".part"
	hashed := dir + upload.Clip(base, upload.MaxName-maxStateTail-len(tail)) + tail
	if len(base)+len(".part")+maxStateTail > upload.MaxName {
		return []string{hashed}
	}
	return []string{local + ".part", hashed}
}

// ownPart reports whether a part's name is free for us: nothing is there, or
// what is there was begun by a download, which its state file shows. An empty
// file is taken too: it is one that was made a moment ago, or has nothing to
// lose.
func ownPart(part string) (bool, error) {
	s, err := readState(part)
	if err == nil && s == nil {
		if _, err = os.Lstat(stateName(part)); err == nil {
			return false, nil // somebody else's file has the state's name
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return false, err
	}
	info, err := os.Lstat(part)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	}
	return info.Mode().IsRegular() && (s != nil || info.Size() == 0), nil
}

// takePart opens and locks the part of a local file: the first of its names that
// is ours. opened is that of [OpenPart]. That another download has it is worth another attempt.
func takePart(local string, opened func()) (*os.File, string, error) {
	names := PartNames(local)
	for _, part := range names {
		f, err := lockPart(part, opened)
		switch {
		case errors.Is(err, errPartHeld):
			return nil, "", &transport.Error{Op: "download", Kind: transport.KindLocked,
				Err: fmt.Errorf("the local %q: %w: wait for that one, or name another local path", part, err)}
		case err != nil:
			return nil, "", retry.Stop(&transport.LocalError{Writing: true, Err: err})
		case f != nil:
			return f, part, nil
		}
	}
	return nil, "", retry.Stop(&transport.LocalError{Writing: true, Err: fmt.Errorf(
		"%w: %q has no state file of a download beside it, so that it may be somebody else's: move it or remove it, or name another local path",
		fs.ErrExist, names[len(names)-1])})
}

// lockPart opens and locks one part, nil if its name is not free for us.
func lockPart(part string, opened func()) (*os.File, error) {
	for range 100 {
		if own, err := ownPart(part); err != nil || !own {
			return nil, err
		}
		f, err := OpenPart(part, opened)
		if err != nil {
			return nil, err
		}
		// Whoever had the lock until now may have given the file its final name,
		// or removed it: then what we hold is not the part any more. And what is
		// the part was looked at before it was locked.
		held, err := f.Stat()
		if err == nil {
			var named fs.FileInfo
			if named, err = os.Lstat(part); err == nil && os.SameFile(held, named) {
				own, oerr := ownPart(part)
				if oerr == nil && own {
					return f, nil
				}
				f.Close()
				return nil, oerr
			}
		}
		f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, errPartHeld
}
