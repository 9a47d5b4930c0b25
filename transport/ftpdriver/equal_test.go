package ftpdriver

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// someBatch makes a batch out of few names, so that its requests meet each other, and
// says what it has: for the engine and for the serial way the same.
func someBatch(r *rand.Rand) (reqs []transport.Request, gots []*bytes.Buffer) {
	name := func() string {
		return []string{"a", "b", "d", "d/a", "d/d", "d/d/b", "none/x"}[r.IntN(7)]
	}
	for range 1 + r.IntN(6) {
		var q transport.Request
		switch r.IntN(12) {
		case 0, 1:
			q = &transport.Stat{Path: name()}
		case 2:
			n := []int{0, 10, 5000, smallFile + 1}[r.IntN(4)]
			q = &transport.Store{Path: name(), Src: bytes.NewReader(random(n)), Size: int64(n)}
		case 3:
			n := []int{1, 40_000, 300_000}[r.IntN(3)]
			q = &transport.Store{Path: name(), Src: bytes.NewReader(random(n))}
		case 4, 5:
			var got bytes.Buffer
			gots = append(gots, &got)
			q = &transport.Retrieve{Path: name(), Dst: &got}
			if r.IntN(2) == 0 {
				q.(*transport.Retrieve).Offset = int64(r.IntN(8))
			}
		case 6:
			q = &transport.Rename{From: name(), To: name()}
		case 7:
			q = &transport.Remove{Path: name()}
		case 8:
			q = &transport.Mkdir{Path: name()}
		case 9:
			q = &transport.Rmdir{Path: name()}
		case 10:
			q = &transport.SetTime{Path: name(), Time: time.Unix(1e9+int64(r.IntN(1e8)), 0)}
		case 11:
			q = &transport.Ping{}
		}
		reqs = append(reqs, q)
	}
	for i := 1; i < len(reqs); i++ {
		switch before := reqs[i-1].Common(); r.IntN(6) {
		case 0:
			reqs[i].Common().If = before.OK
		case 1:
			reqs[i].Common().If = func() bool { return !before.OK() }
		}
	}
	return reqs, gots
}

// outcomeOf says how a batch went, in as much detail as two servers in the same state
// agree on.
func outcomeOf(reqs []transport.Request, gots []*bytes.Buffer, err error) string {
	var b strings.Builder
	for _, q := range reqs {
		what, path := nameOf(q)
		fmt.Fprintf(&b, "%s %s: ", what, path)
		switch err := q.Common().Err; err {
		case nil, transport.ErrSkipped, transport.ErrUnsent:
			fmt.Fprint(&b, err)
		default:
			fmt.Fprint(&b, transport.KindOf(err))
		}
		switch q := q.(type) {
		case *transport.Stat:
			fmt.Fprint(&b, " ", q.Entry.Name, " ", q.Entry.Type, " ", q.Entry.TimeExact)
			if !q.Entry.IsDir() {
				fmt.Fprint(&b, " ", q.Entry.Size)
			}
		case *transport.Store:
			fmt.Fprint(&b, " ", q.Stored)
		case *transport.Retrieve:
			fmt.Fprint(&b, " ", q.Received)
		}
		b.WriteByte('\n')
	}
	for _, got := range gots {
		fmt.Fprintf(&b, "%d bytes\n", got.Len())
	}
	fmt.Fprint(&b, err)
	return b.String()
}

// treeOf says what there is below a folder.
func treeOf(t testing.TB, root string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		line, _ := filepath.Rel(root, path)
		if !d.IsDir() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d %x", len(data), data[:min(len(data), 4)])
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// equalBatches compares the engine with the serial way: a batch means what its requests
// mean one after the other.
func equalBatches(t *testing.T, n int, dirs [2]string, open func(serial bool) (c *tconn, root string)) {
	t.Helper()
	var conns [2]*tconn
	var roots [2]string
	for i := range conns {
		conns[i], roots[i] = open(i == 1)
		if conns[i].pipelines() != (i == 0) {
			t.Fatal("this compares nothing")
		}
	}
	for seed := range n {
		var outcomes, trees [2]string
		for i, c := range conns {
			if !c.Usable() {
				conns[i], _ = open(i == 1)
				c = conns[i]
			}
			reqs, gots := someBatch(rand.New(rand.NewPCG(uint64(seed), 1)))
			for _, q := range reqs {
				for _, path := range q.Paths() {
					*path = dirs[i] + *path
				}
			}
			err := c.Do(t.Context(), transport.NewBatch(reqs...))
			outcomes[i], trees[i] = withoutDir(outcomeOf(reqs, gots, err), dirs[i]), treeOf(t, roots[i])
		}
		if outcomes[0] != outcomes[1] || trees[0] != trees[1] {
			t.Fatalf("batch %d:\n%s\n\none after the other:\n%s\n\nleaves:\n%s\n\none after the other:\n%s", seed, outcomes[0], outcomes[1], trees[0], trees[1])
		}
	}
}

func TestBatchesEqualTheirSequences(t *testing.T) {
	for _, p := range protocols {
		for name, opts := range map[string]testserver.FTPOptions{"all there is": {}, "plain": {Disable: []string{"MLST", "MLSD", "MFMT"}}} {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				var eps [2]*transport.Endpoint
				var roots [2]string
				for i := range eps {
					o := opts
					o.Root = t.TempDir()
					roots[i] = o.Root
					eps[i], _ = start(t, p, o)
				}
				equalBatches(t, 100, [2]string{}, func(serial bool) (*tconn, string) {
					i := 0
					if serial {
						i = 1
						eps[i].Learned.Note(eps[i].Addr(), lacksPipelining, true)
					}
					return dial(t, eps[i]), roots[i]
				})
			})
		}
	}
}

func withoutDir(text, dir string) string {
	if dir == "" {
		return text
	}
	return strings.ReplaceAll(text, dir, "")
}
