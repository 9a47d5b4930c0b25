package drill

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Scenario is a failure that can be rehearsed.
type Scenario struct {
	// Name is its name, What happens in it.
	Name, What string
	// Embedded says that it needs servers of its own; Standby that it needs a second host.
	Embedded, Standby bool

	// strike makes the fault, at the moment at which a quarter of the files has arrived, and
	// returns when it is made. from is called at the start.
	from, strike func(ctx context.Context, r *rehearsal)
}

const (
	// shareReset is the share of files in whose transfer a connection is reset.
	shareReset = 0.127
	// mostFlooded is how many connections a flooded server takes.
	mostFlooded = 2
	// unrenewed is how long a certificate stays expired.
	unrenewed = 2 * time.Second
)

// Scenarios returns all of them.
func Scenarios() []Scenario {
	return []Scenario{
		{Name: "primary-dies", What: "the first host resets all connections and refuses new ones, for good", Standby: true,
			strike: func(_ context.Context, r *rehearsal) {
				r.event("the first host dies")
				for _, address := range r.primary {
					r.line.kill(address)
				}
			}},
		{Name: "reset-12.7", What: "12.7 % of the transfers are reset, at random places, all the time",
			from: func(_ context.Context, r *rehearsal) {
				r.line.set(func(l *line) { l.cut = float64(r.size) / shareReset })
			},
			strike: func(_ context.Context, r *rehearsal) { r.event("resets go on") }},
		{Name: "flood", What: fmt.Sprintf("the host takes %d connections and answers others that it is full", mostFlooded),
			strike: func(_ context.Context, r *rehearsal) {
				r.event("the host is full")
				r.line.set(func(l *line) { l.most = mostFlooded })
				r.line.resetAll()
			}},
		{Name: "stall", What: "all connections fall silent at once; new ones are well",
			strike: func(_ context.Context, r *rehearsal) {
				r.event("the line falls silent")
				r.line.silence()
			}},
		{Name: "cert-expires", What: fmt.Sprintf("the certificate expires, and is renewed after %v", unrenewed), Embedded: true,
			strike: func(ctx context.Context, r *rehearsal) {
				r.event("the certificate expires")
				r.servers.expire()
				r.line.resetAll()
				before := r.servers.logins()
				pause(ctx, unrenewed)
				r.trusted = r.servers.logins() - before
				r.event("it is renewed")
				r.servers.renew()
			}},
	}
}

// Select returns the scenarios of these names, all for none.
func Select(names []string) ([]Scenario, error) {
	all := Scenarios()
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	by := map[string]Scenario{}
	for _, s := range all {
		known = append(known, s.Name)
		by[s.Name] = s
	}
	var out []Scenario
	for _, n := range names {
		s, ok := by[n]
		if !ok {
			return nil, fmt.Errorf("there is no scenario %q: use %s", n, strings.Join(known, ", "))
		}
		out = append(out, s)
	}
	return out, nil
}

// pause waits, or less where ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
