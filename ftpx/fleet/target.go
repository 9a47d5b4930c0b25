package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// Target is a partner, as workers know it.
type Target struct {
	// Name is what jobs call it.
	Name string
	// Connections is how many the partner allows, over all workers: 1 to 256.
	Connections int
	// Open opens a client for it. It hands its options to tune before it uses them, which
	// sets how many connections the client may have. It is called each time a worker needs
	// a connection, so that secrets which were replaced are read again.
	Open func(ctx context.Context, tune func(*ftpx.Options)) (ftpx.Client, error)
}

// Root is a folder of the worker's machine, and the only place where jobs reach local files.
type Root struct {
	// Name is what jobs call it.
	Name string
	// Path is the folder.
	Path string
}

// WorkerOptions are the options of [NewWorker].
type WorkerOptions struct {
	// Name names the worker in records and events; "" makes one of host and process.
	Name string
	// Targets and Roots are what jobs may use. All workers should have the same.
	Targets []Target
	Roots   []Root // see Targets
	// Connections is the most that this worker holds at once, over all targets; 0 means 32.
	Connections int
	// Spool is a folder for what is copied between targets; "" means no such jobs.
	Spool string
	// Tries is how often a job is scheduled again before it is dead; 0 means 20.
	Tries int
	// Grace is how long what is under way may go on when the worker is told to end; 0 means
	// 5 s. What is not done then is given to another worker, which goes on from there.
	Grace time.Duration
	// Extract puts what [Options].Inject has written into the context of a job; nil for none.
	Extract func(ctx context.Context, get func(key string) string) context.Context
	// OnEvent is told what the worker does; nil for none. It must not block.
	OnEvent func(Event)
}

// Event is something that a worker did.
type Event struct {
	// What is "ready", "job", "login", "down", "paused", "lost" or "error". Ready is told
	// once, when the worker looks for jobs.
	What string
	// Target is the one that it is about.
	Target string
	// Record is that of the job, nil if it is about none.
	Record *Record
	// Err is what was wrong, nil for nothing.
	Err error
}

const (
	defaultConnections = 32
	defaultGrace       = 5 * time.Second
	// progressTimeout is how long an operation goes on without progress while it holds a
	// connection; after that its job is scheduled again, and others have their turn.
	progressTimeout = 30 * time.Second
)

func (o WorkerOptions) withDefaults() (WorkerOptions, error) {
	if o.Connections < 0 || o.Tries < 0 || o.Grace < 0 {
		return o, errors.New("WorkerOptions.Connections, Tries or Grace is negative: use a positive number, or 0 for the default")
	}
	if len(o.Targets) == 0 {
		return o, errors.New("WorkerOptions.Targets is empty: there is nothing that this worker could do")
	}
	seen := map[string]bool{}
	for _, t := range o.Targets {
		switch {
		case CheckName(t.Name) != nil:
			return o, fmt.Errorf("target: %w", CheckName(t.Name))
		case seen["t."+t.Name]:
			return o, fmt.Errorf("target %q is there twice: each needs a name of its own", t.Name)
		case t.Connections < 1 || t.Connections > maxConnections:
			return o, fmt.Errorf("target %q: connections is %d: write 1 to %d, as the partner allows", t.Name, t.Connections, maxConnections)
		case t.Open == nil:
			return o, fmt.Errorf("target %q: Open is nil", t.Name)
		}
		seen["t."+t.Name] = true
	}
	for _, r := range o.Roots {
		switch {
		case CheckName(r.Name) != nil:
			return o, fmt.Errorf("root: %w", CheckName(r.Name))
		case seen["r."+r.Name]:
			return o, fmt.Errorf("root %q is there twice: each needs a name of its own", r.Name)
		}
		seen["r."+r.Name] = true
	}
	if o.Connections == 0 {
		o.Connections = defaultConnections
	}
	if o.Tries == 0 {
		o.Tries = DefaultTries
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	return o, nil
}

// openRoots opens the roots, which stay what they are while the worker runs.
func openRoots(roots []Root) (map[string]*os.Root, error) {
	open := map[string]*os.Root{}
	for _, r := range roots {
		at, err := os.OpenRoot(r.Path)
		if err != nil {
			closeRoots(open)
			return nil, fmt.Errorf("root %q: %w", r.Name, err)
		}
		open[r.Name] = at
	}
	return open, nil
}

func closeRoots(open map[string]*os.Root) {
	for _, r := range open {
		r.Close()
	}
}

// tuning is what a fleet needs of a client: one connection, which is what a slot stands for,
// and an end in good time.
func tuning(learned []byte, pause time.Duration) func(*ftpx.Options) {
	return func(o *ftpx.Options) {
		o.Limits.Conns = 1
		if o.Retry.MaxElapsed == 0 && o.Retry.MaxAttempts == 0 {
			o.Retry = retry.Policy{MaxElapsed: progressTimeout, MaxDelay: 5 * time.Second}
		}
		if new(transport.Learned).Load(learned) == nil { // else another version has written it
			o.Learned = learned
		}
		o.Connect = oneAtATime(o.Connect, pause)
	}
}

type connectFunc func(context.Context, *transport.Endpoint) (transport.Conn, error)

// oneAtATime connects again only after a pause: a connection that was reset is gone here at
// once, but the server still counts its session until it has noticed. After a refused login it
// does not connect any more: several jobs that wait for the connection would try one by one.
func oneAtATime(connect connectFunc, pause time.Duration) connectFunc {
	if connect == nil {
		connect = drivers
	}
	var before atomic.Bool
	var refused atomic.Pointer[error]
	return func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		if err := refused.Load(); err != nil {
			return nil, *err
		}
		if before.Swap(true) {
			timer := time.NewTimer(pause)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		c, err := connect(ctx, ep)
		if isRefusal(err) {
			refused.Store(&err)
		}
		return c, err
	}
}

// isRefusal reports whether a server has refused the login, or is not the one that is known.
func isRefusal(err error) bool {
	switch ftpx.KindOf(err) {
	case transport.KindAuth, transport.KindHostKey, transport.KindCertificate:
		return true
	}
	return false
}

func drivers(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
	if ep.Protocol == transport.SFTP {
		c, err := sftpdriver.Dial(ctx, ep)
		if err != nil {
			return nil, err // not a nil *Conn in a non-nil interface
		}
		return c, nil
	}
	c, err := ftpdriver.Dial(ctx, ep)
	if err != nil {
		return nil, err
	}
	return c, nil
}
