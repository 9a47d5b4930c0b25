package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A list is a list of requests as data, from which equal batches can be made.
type list []wish

// A wish is one request of a list.
type wish struct {
	kind     string // of the request: "Stat", "Store" ...
	path, to string // below the tree, see [trial.at]
	offset   int64
	size     int64 // a limit, a length, a size or a hint
	n        int   // bytes of a source
	replace  bool
	mode     uint32
	sets     time.Time
	// odd is what is wrong with a source or destination: "fails", "enough", or "ends"
	// the session.
	odd  string
	cond condition
}

// A condition is that of a request, which depends on an earlier result.
type condition struct {
	kind string // "" for none, "true", "false", "ok", "failed", "small", "ends"
	on   int    // the earlier request
}

func (w wish) String() string {
	s := fmt.Sprintf("%s %q", w.kind, w.path)
	if w.to != "" {
		s += fmt.Sprintf(" to %q", w.to)
	}
	if w.offset != 0 || w.size != 0 || w.n != 0 {
		s += fmt.Sprintf(" offset %d, size %d, %d bytes", w.offset, w.size, w.n)
	}
	if w.replace {
		s += " replace"
	}
	if w.odd != "" {
		s += " that " + w.odd
	}
	if w.cond.kind != "" {
		s += fmt.Sprintf(" if %s(%d)", w.cond.kind, w.cond.on)
	}
	return s
}

func (l list) String() string {
	var b strings.Builder
	for i, w := range l {
		fmt.Fprintf(&b, "  %d: %s\n", i, w)
	}
	return b.String()
}

// without leaves one request out. Conditions on it become ones that are met.
func (l list) without(i int) list {
	s := slices.Delete(slices.Clone(l), i, i+1)
	for j := range s {
		switch c := &s[j].cond; {
		case c.kind == "ends" || c.on < i:
		case c.on == i && c.kind != "false":
			*c = condition{kind: "true"}
		default:
			c.on--
		}
	}
	return s
}

// treeNames are the paths that requests are about: files, folders, what is missing,
// what lies below a file, below nothing, and outside.
var treeNames = []string{"a", "b", "big", "d", "d/f", "d/deep", "d/deep/g", "e", "new", "e/new", "p", "p", "gone/x", "a/x", "d/../a", "dir"}

// badNames are refused before anything is sent.
var badNames = []string{"x\ny", "x\x00", "x\r\nDELE a", ""}

func (r *batchRun) name(rnd *rand.Rand) string {
	switch rnd.IntN(25) {
	case 0:
		return badNames[rnd.IntN(len(badNames))]
	case 1:
		if r.opts.Forbidden != "" {
			return "/" + r.opts.Forbidden + "/x"
		}
	}
	return treeNames[rnd.IntN(len(treeNames))]
}

// generate makes a random list.
func (r *batchRun) generate(rnd *rand.Rand) list {
	var l list
	for n := 1 + rnd.IntN(10); len(l) < n; {
		if rnd.IntN(4) == 0 {
			l = append(l, r.shape(rnd, len(l))...)
		} else {
			w := r.wish(rnd)
			w.cond = anyCondition(rnd, len(l))
			l = append(l, w)
		}
	}
	if rnd.IntN(12) == 0 {
		l = r.ending(rnd, l)
	}
	return l
}

func anyCondition(rnd *rand.Rand, i int) condition {
	if rnd.IntN(4) > 0 {
		return condition{}
	}
	kinds := []string{"true", "true", "false"}
	if i > 0 {
		kinds = append(kinds, "ok", "failed", "ok", "small")
	}
	return condition{kind: kinds[rnd.IntN(len(kinds))], on: rnd.IntN(max(i, 1))}
}

// ending puts a request at which the session ends into a list, with some behind it
// whose names are their own, so that an effect of theirs can be seen.
func (r *batchRun) ending(rnd *rand.Rand, l list) list {
	var w wish
	switch rnd.IntN(4) {
	case 0:
		w = wish{kind: "Retrieve", path: "big", odd: "ends"}
	case 1:
		w = wish{kind: "List", path: "d", odd: "ends"}
	case 2:
		w = wish{kind: "Store", path: "p", n: 40_000, odd: "ends"}
	case 3:
		w = wish{kind: "Mkdir", path: "u0", cond: condition{kind: "ends"}}
	}
	l = append(l, w)
	for i := 1; i < 2+rnd.IntN(3); i++ {
		l = append(l, wish{kind: "Mkdir", path: fmt.Sprint("u", i)}, wish{kind: "Store", path: fmt.Sprint("v", i), n: 10})
	}
	return l
}

var kinds = []string{"Stat", "Stat", "Stat", "List", "Store", "Store", "Retrieve", "Retrieve", "Rename", "Rename", "Remove", "Remove", "Mkdir", "Mkdir", "Rmdir",
	"SetTime", "SetMode", "Truncate", "Hash", "Link", "Raw", "Space", "Ping"}

func pick[E any](rnd *rand.Rand, of ...E) E { return of[rnd.IntN(len(of))] }

// wish makes a random request. Offsets of a Store are 0: what else is allowed, the
// current size, is for [batchRun.shape] to know.
func (r *batchRun) wish(rnd *rand.Rand) wish {
	w := wish{kind: pick(rnd, kinds...), path: r.name(rnd), replace: rnd.IntN(2) == 0}
	ftp := r.info().Protocol.IsFTP()
	switch w.kind {
	case "Store":
		w.n = pick(rnd, 0, 1, 10, 500, 3000, 40_000)
		if rnd.IntN(30) == 0 {
			w.n = 600_000
		}
		w.size = pick(rnd, 0, int64(w.n), int64(w.n), 7, 100_000, 20<<20)
		if rnd.IntN(10) == 0 && !ftp && !r.opts.Whole { // over FTP nobody knows what has arrived
			w.odd = "fails"
		}
	case "Retrieve":
		w.offset = pick[int64](rnd, 0, 0, 0, 5, 400, 100_000, -1)
		w.size = pick[int64](rnd, 0, 0, 0, 3, 2000)
		if r.opts.Whole {
			w.size = 0
		} else if rnd.IntN(8) == 0 {
			w.odd = "enough"
		} else if rnd.IntN(12) == 0 && !ftp {
			w.odd = "fails"
		}
	case "Rename":
		w.to = r.name(rnd)
	case "SetTime":
		w.sets = pick(rnd, time.Unix(1_100_000_000, 0), time.Unix(1_234_567_890, 0), time.Unix(-5, 0))
	case "SetMode":
		w.mode = pick[uint32](rnd, 0o755, 0o700, 0o711, 0o744)
	case "Truncate":
		w.size = pick[int64](rnd, 0, 5, 1000, -1)
	case "Hash":
		w.offset, w.size = pick[int64](rnd, 0, 0, 5), pick[int64](rnd, -1, -1, 5, 100)
		w.to = "sha256"
		if h := r.info().Caps.Hashes; len(h) > 0 {
			w.to = pick(rnd, h...)
		}
	case "Link":
		if w.replace { // makes one
			w.to = pick(rnd, "a", "d", "none")
		}
	case "Raw":
		// Not a word that no server knows: ftpserverlib answers it while another reply is
		// being written, which the race detector finds.
		w.path = pick(rnd, "NOOP", "SYST", "SITE NOPE", "TYPE A", "REST 5", "NOOP\r\nDELE a")
	}
	return w
}

// shape makes requests as the client sends them; at is where in the list they begin.
func (r *batchRun) shape(rnd *rand.Rand, at int) list {
	n := pick(rnd, 0, 100, 3000, 40_000)
	sets := time.Unix(1_200_000_000, 0)
	part := pick(rnd, "p", "p", "e/p", "gone/p", "a", "d")
	dest := pick(rnd, "new", "b", "d/new", "e")
	sized := pick(rnd, "a", "b", "d/f", "big")
	met := func(on int) condition {
		return condition{kind: pick(rnd, "ok", "failed", "small", "true"), on: at + on}
	}
	store := wish{kind: "Store", path: part, n: n, size: pick(rnd, 0, int64(n), 64<<20)}
	commit := wish{kind: "Rename", path: part, to: dest, replace: true}
	switch rnd.IntN(6) {
	case 0: // a small new file
		commit.cond = met(2)
		return list{store, {kind: "SetTime", path: part, sets: sets}, {kind: "Stat", path: part}, commit}
	case 1: // a large new file
		store.cond, commit.cond = met(1), met(4)
		return list{{kind: "Stat", path: dest}, {kind: "Stat", path: part}, store,
			{kind: "SetTime", path: part, sets: sets}, {kind: "Stat", path: part}, commit}
	case 2: // a file that is resumed where it ends
		from := int64(treeFiles[sized])
		store := wish{kind: "Store", path: sized, offset: from, n: n, cond: condition{kind: "size", on: at}}
		return list{{kind: "Stat", path: sized}, {kind: "Retrieve", path: sized, offset: max(0, from-5)}, store, {kind: "Stat", path: sized}}
	case 3: // a download
		return list{{kind: "Stat", path: sized}, {kind: "Retrieve", path: sized, cond: met(0)}}
	case 4: // ranges that are read back
		var l list
		for range 1 + rnd.IntN(4) {
			w := wish{kind: "Retrieve", path: sized, offset: pick[int64](rnd, 0, 3, 300), size: pick[int64](rnd, 1, 100, 4000)}
			if r.opts.Whole {
				w.size = 0
			}
			l = append(l, w)
		}
		return l
	default: // folders and what is in them
		return list{{kind: "Mkdir", path: "dir"}, {kind: "Mkdir", path: "dir/sub"}, {kind: "Store", path: "dir/sub/f", n: n},
			{kind: "Stat", path: "dir/sub/f"}, {kind: "Remove", path: "dir/sub/f"}, {kind: "Rmdir", path: "dir/sub"}}
	}
}
