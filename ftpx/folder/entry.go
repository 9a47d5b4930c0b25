package folder

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

type kind uint8

const (
	isFile kind = iota
	isDir
	isLink
	isOther
	isUntold // the server does not tell
)

// entry is what is held of each entry of a folder: little, because there may be a
// million of them.
type entry struct {
	name  string
	key   string // name, or what it is compared by where case does not count
	size  int64
	mtime int64 // nanoseconds since 1970, if timed
	kind  kind
	perm  uint16 // the permission bits, 0 where they are not known
	timed bool   // mtime is known
	exact bool   // and exact to the second
}

func (e *entry) time() time.Time {
	if !e.timed {
		return time.Time{}
	}
	return time.Unix(0, e.mtime)
}

// setTime notes a time, as far as nanoseconds since 1970 can hold it: a server may
// name any year.
func (e *entry) setTime(t time.Time, exact bool) {
	if year := t.Year(); t.IsZero() || year < 1700 || year > 2250 {
		return
	}
	e.mtime, e.timed, e.exact = t.UnixNano(), true, exact
}

// sorted prepares a listing for merging.
func sorted(entries []entry, folded bool) []entry {
	for i := range entries {
		e := &entries[i]
		if e.key = e.name; folded {
			e.key = fold(e.name)
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.name, b.name))
	})
	return entries
}

// find looks a name up in a sorted listing, by its key.
func find(entries []entry, key string) (*entry, bool) {
	i, ok := slices.BinarySearchFunc(entries, key, func(e entry, k string) int { return strings.Compare(e.key, k) })
	if !ok {
		return nil, false
	}
	return &entries[i], true
}
