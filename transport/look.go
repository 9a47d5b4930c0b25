package transport

import (
	"context"
	"errors"
	"io"
)

// Looker is a [Conn] that can look at a file in the round trip in which it asks for
// its content.
type Looker interface {
	// RetrieveLook is Retrieve from offset 0, and before the first byte calls seen with
	// what Stat says of the file, once. An error of seen ends it and is returned; the
	// connection may be lost by it. [ErrNoLook] says that the server has to be asked by Stat;
	// nothing has been given to dst then.
	//
	// more says that another file is likely to follow. IO.Limit is ignored.
	RetrieveLook(ctx context.Context, path string, dst io.Writer, opt *IO, more bool, seen func(Entry) error) (int64, error)
}

// ErrNoLook says that a file has to be looked at before it is asked for.
var ErrNoLook = errors.New("the server does not tell enough of the file in one round trip")

// Preparer is a [Conn] that can get ready for a large transfer while something else is
// still being asked.
type Preparer interface {
	// Prepare says that a transfer of about size bytes is likely to come next. It
	// waits for nothing and fails in no way.
	Prepare(size int64)
}

// Lstater is a [Conn] that can describe a link itself.
type Lstater interface {
	// Lstat is Stat but that a link is [TypeLink], as in a List, and not what it leads
	// to.
	Lstat(ctx context.Context, path string) (Entry, error)
}

// Looked is what Stat said of one name.
type Looked struct {
	// Entry is the file or folder.
	Entry Entry
	// Err is why there is none.
	Err error
}

// Peeker is a [Conn] that can look at several names in the round trip of one.
type Peeker interface {
	// Peek is Stat of each name, with one answer for each. store says that a Store of a
	// large file to the last name is likely to follow, from offset 0 if there is none:
	// what that needs may be asked for at the same time.
	Peek(ctx context.Context, store bool, names ...string) []Looked
	// Forget undoes what Peek has got ready for a Store to path that does not come: an
	// empty file that was made for it is removed. It may be called in any case.
	Forget(ctx context.Context, path string)
}
