package status

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxprom"
)

// Status is what is known of the clients of a program. Its methods may be called at any
// time, from several goroutines.
type Status struct {
	name    string
	began   time.Time
	metrics *ftpxprom.Metrics
	live    transfers
	lost    losses

	mu      sync.Mutex // guards clients
	clients map[uint64]ftpx.Client
	next    uint64
}

// New returns the status of a program with this name.
func New(name string) (*Status, error) {
	m, err := ftpxprom.New(nil, nil)
	if err != nil {
		return nil, err
	}
	return &Status{name: name, began: time.Now(), metrics: m, live: transfers{list: map[uint64]*transfer{}, primaries: map[string]bool{}}, clients: map[uint64]ftpx.Client{}}, nil
}

// Hooks returns what each client needs to be given; join them with others by
// [ftpx.JoinHooks].
func (s *Status) Hooks() *ftpx.Hooks {
	return ftpx.JoinHooks(s.metrics.Hooks(), &ftpx.Hooks{Operation: s.live.operation, Progress: s.live.progress, Conn: s.lost.conn})
}

// Watch shows a client until stop is called.
func (s *Status) Watch(c ftpx.Client) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	key := s.next
	s.clients[key] = c
	unwatch := s.metrics.Watch(c)
	return func() {
		unwatch()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.clients, key)
	}
}

// health returns the health of each client, in the order in which they came.
func (s *Status) health() [][]ftpx.HostHealth {
	s.mu.Lock()
	var list []ftpx.Client
	for _, key := range slices.Sorted(maps.Keys(s.clients)) {
		list = append(list, s.clients[key])
	}
	s.mu.Unlock()
	var all [][]ftpx.HostHealth
	for _, c := range list {
		all = append(all, c.Health())
	}
	return all
}

// lately is how long a success counts although a failure has followed it.
const lately = 2 * time.Minute

// ready returns why the program cannot do its work now, "" if it can: the first host of
// each client must have been reached, and lately if nothing has worked since.
func (s *Status) ready(now time.Time) string {
	clients := s.health()
	if len(clients) == 0 {
		return "no client is open"
	}
	for _, hosts := range clients {
		var primary string
		var success, failure time.Time
		for _, h := range hosts { // the primary, in all its protocols
			if s.live.isPrimary(h.Host) {
				primary, success, failure = h.Host, latest(success, h.LastSuccess), latest(failure, h.LastFailure)
			}
		}
		switch {
		case primary == "":
			return "a client has not reached its host yet"
		case success.IsZero():
			return fmt.Sprintf("%q has not been reached yet", primary)
		case failure.After(success) && now.Sub(success) > lately:
			return fmt.Sprintf("%q was last reached %s ago", primary, now.Sub(success).Round(time.Second))
		}
	}
	return ""
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// transfer is a file under way.
type transfer struct {
	op, local, remote string
	began             time.Time
	offset, size      int64
}

// transfers are those under way. They are keyed by a number of our own, since the
// operations of several clients have the same numbers.
type transfers struct {
	mu   sync.Mutex // guards what follows
	list map[uint64]*transfer
	last uint64
	// primaries are the hosts that clients were given first: of every operation it is
	// told, and health does not say which one it is.
	primaries map[string]bool
}

func (t *transfers) isPrimary(host string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.primaries[host]
}

type transferKey struct{}

func (t *transfers) operation(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
	t.mu.Lock()
	t.primaries[i.Host] = true
	t.mu.Unlock()
	switch i.Op {
	case "upload", "put", "download", "get":
	default:
		return nil, nil
	}
	one := &transfer{op: i.Op, local: i.Local, remote: i.Remote, began: time.Now(), size: -1}
	t.mu.Lock()
	t.last++
	key := t.last
	t.list[key] = one
	t.mu.Unlock()
	return context.WithValue(ctx, transferKey{}, one), func(ftpx.OperationEnd) {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.list, key)
	}
}

func (t *transfers) progress(ctx context.Context, i ftpx.ProgressInfo) {
	one, ok := ctx.Value(transferKey{}).(*transfer)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	one.offset, one.size = i.Offset, i.Size
}

// oldest returns up to n transfers, those that take longest first, and how many there are.
func (t *transfers) oldest(n int) (list []transfer, many int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := slices.Sorted(maps.Keys(t.list))
	for _, key := range keys[:min(n, len(keys))] {
		list = append(list, *t.list[key])
	}
	return list, len(keys)
}

// keptLosses is how many losses of connections are remembered.
const keptLosses = 10

// losses are the last connections that were lost.
type losses struct {
	mu   sync.Mutex // guards list
	list []loss     // oldest first
}

type loss struct {
	at time.Time
	ftpx.ConnInfo
}

func (l *losses) conn(i ftpx.ConnInfo) {
	switch i.Cause {
	case ftpx.CauseReset, ftpx.CauseEOF, ftpx.CauseStalled, ftpx.CauseFailed:
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == keptLosses {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, loss{time.Now(), i})
}

// newest returns them, newest first.
func (l *losses) newest() []loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.list)
	slices.Reverse(list)
	return list
}
