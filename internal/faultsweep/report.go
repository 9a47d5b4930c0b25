package faultsweep

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Report sums up a sweep. Its methods are safe for concurrent use.
type Report struct {
	mu     sync.Mutex
	counts map[row]*Count
	failed []End
	why    map[string]int
	begin  time.Time
	took   time.Duration
}

// row is a line of the table.
type row struct {
	protocol ftpx.Protocol
	transfer Transfer
	faults   string
}

// Count sums up cases. Unbroken ones, whose operation lay beyond the end, are
// not counted.
type Count struct {
	// Cases is how many there were, and Done, NotDone and Unknown their outcomes.
	Cases, Done, NotDone, Unknown int
	// Problems is how many of them had one.
	Problems int
	// Attempts and Resumes are sums over the cases.
	Attempts, Resumes int
	// Slowest is the longest call.
	Slowest time.Duration
}

func newReport() *Report {
	return &Report{counts: map[row]*Count{}, why: map[string]int{}, begin: time.Now()}
}

// add takes a case into the books.
func (r *Report) add(e End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(e.Problems) > 0 {
		r.failed = append(r.failed, e)
	}
	if !e.Hit && len(e.Problems) == 0 {
		return
	}
	key := row{e.Protocol, e.Transfer, e.faults()}
	c := r.counts[key]
	if c == nil {
		c = &Count{}
		r.counts[key] = c
	}
	c.take(e)
	if e.Err != nil {
		r.why[fmt.Sprintf("%v %v, %v: %v", e.Transfer, e.outcome(), e.faults(), ftpx.KindOf(e.Err))]++
	}
}

func (c *Count) take(e End) {
	c.Cases++
	switch {
	case e.Err == nil:
		c.Done++
	case e.outcome() == ftpx.Unknown:
		c.Unknown++
	default:
		c.NotDone++
	}
	if len(e.Problems) > 0 {
		c.Problems++
	}
	c.Attempts += e.Result.Attempts
	c.Resumes += e.Result.Resumes
	c.Slowest = max(c.Slowest, e.Took)
}

func (c *Count) merge(o *Count) {
	c.Cases += o.Cases
	c.Done += o.Done
	c.NotDone += o.NotDone
	c.Unknown += o.Unknown
	c.Problems += o.Problems
	c.Attempts += o.Attempts
	c.Resumes += o.Resumes
	c.Slowest = max(c.Slowest, o.Slowest)
}

// problem notes what is wrong with the sweep as a whole.
func (r *Report) problem(c Case, what string) { r.add(End{Case: c, Problems: []string{what}}) }

func (r *Report) end() { r.took = time.Since(r.begin) }

// Merge adds another report's cases.
func (r *Report) Merge(o *Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, c := range o.counts {
		if r.counts[k] == nil {
			r.counts[k] = &Count{}
		}
		r.counts[k].merge(c)
	}
	for k, n := range o.why {
		r.why[k] += n
	}
	r.failed = append(r.failed, o.failed...)
	r.took += o.took
}

// Total sums up everything.
func (r *Report) Total() Count {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all Count
	for _, c := range r.counts {
		all.merge(c)
	}
	return all
}

// Failed returns the cases that had problems.
func (r *Report) Failed() []End {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.failed)
}

// String returns a table by protocol, transfer and fault, and why cases that
// did not end in success did not.
func (r *Report) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "protocol\ttransfer\tfault\tcases\tdone\tnot done\tunknown\tproblems\tattempts\tresumes\tslowest\t")
	keys := slices.SortedFunc(maps.Keys(r.counts), func(a, b row) int {
		return cmp.Or(cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.transfer, b.transfer), cmp.Compare(a.faults, b.faults))
	})
	var all Count
	for _, k := range keys {
		c := r.counts[k]
		all.merge(c)
		c.print(w, fmt.Sprintf("%v\t%v\t%v", k.protocol, k.transfer, k.faults))
	}
	all.print(w, "all\t\t")
	_ = w.Flush() // to a strings.Builder
	for _, k := range slices.Sorted(maps.Keys(r.why)) {
		fmt.Fprintf(&b, "%6d  %s\n", r.why[k], k)
	}
	fmt.Fprintf(&b, "%d cases in %v\n", all.Cases, r.took.Round(10*time.Millisecond))
	return b.String()
}

func (c *Count) print(w *tabwriter.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%v\t\n", name, c.Cases, c.Done, c.NotDone, c.Unknown, c.Problems,
		c.Attempts, c.Resumes, c.Slowest.Round(time.Millisecond))
}
