package ftpx

import (
	"context"
	"io/fs"
	"iter"
)

// TreeEntry is an entry below a folder, see [Tree].
type TreeEntry struct {
	// Path is its path, beginning with the root that was given.
	Path string `json:"path"`
	Entry
}

// Tree is [Files].Walk as an iterator: it yields root and everything below it, parents
// first, entries sorted by name. What cannot be read is yielded with its error and the
// iteration goes on; a break ends it. To leave out folders, use Walk and fs.SkipDir. It
// may be used again, and then walks again.
//
// It is a function, so that every implementation of Files has it.
func Tree(ctx context.Context, f Files, root string) iter.Seq2[TreeEntry, error] {
	return func(yield func(TreeEntry, error) bool) {
		_ = f.Walk(ctx, root, func(p string, e Entry, err error) error {
			if !yield(TreeEntry{Path: p, Entry: e}, err) {
				return fs.SkipAll
			}
			return nil
		})
	}
}
