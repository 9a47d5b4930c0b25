package download

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// streams fetch what is missing of one file in one attempt: over the attempt's own
// connection, and over others that are opened where that is worth it, see widen.go. A
// stream that is lost leaves its segment to the others.
type streams struct {
	d    *download
	main *session.Lease
	seen transport.Entry
	life

	mu      *sync.Mutex    // the download's; guards what follows, the segments, and what is written
	changed *sync.Cond     // a segment was given back, a stream has ended, or all is there
	others  int            // streams besides the main one
	got     int64          // written in this attempt
	each    float64        // bytes a second of one stream, 0 where that was not measured
	begun   chan struct{}  // closed when something was written
	started bool           // it is
	leave   bool           // the other streams are to end
	full    bool           // they are not to begin anything
	apart   bool           // several streams have written
	over    bool           // nothing is written any more
	differs bool           // something came that is not what is there
	news    bool           // there is progress to be told
	newest  *session.Lease // whose it is
	telling bool           // somebody is telling it
	widens  sync.WaitGroup
}

// life is how long the streams besides the main one have.
type life struct {
	ctx  context.Context // theirs
	stop context.CancelFunc
	// dial is for what they do before they begin, and hangUp ends that.
	dial   context.Context
	hangUp context.CancelFunc
	// ended is closed when the attempt wants no more of them.
	ended chan struct{}
	// dials are those of them that seek a connection.
	dials sync.WaitGroup
	// panicked is what code of the caller's panicked with in one of them. streams.mu guards
	// it.
	panicked any
}

// streamGrace is how long, and four round trips, a stream that is done may take to tell the
// server, when the download is over.
const streamGrace = time.Second

// newStreams makes the streams of an attempt, which finish or abandon ends.
func (d *download) newStreams(ctx context.Context, l *session.Lease) *streams {
	x := &streams{d: d, main: l, seen: *d.seen, mu: &d.mu, begun: make(chan struct{}), life: life{ended: make(chan struct{})}}
	x.changed = sync.NewCond(x.mu)
	// A stream that is done says so to the server even when the download is over, so
	// that its connection can be used again.
	lctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	dctx, hangUp := context.WithCancel(lctx)
	unhook := context.AfterFunc(ctx, cancel)
	x.ctx, x.dial, x.hangUp = lctx, dctx, hangUp
	x.stop = func() {
		hangUp()
		if !unhook() || !x.complete() {
			cancel()
		} else if x.count() > 1 {
			time.AfterFunc(streamGrace+4*l.Info().RoundTrip, cancel)
		}
	}
	d.local.synced.start(d, x)
	if x.mayWiden() {
		x.widens.Go(x.widen)
	}
	d.live = x
	return x
}

// abandon ends the streams of an attempt that does not return.
func (x *streams) abandon() {
	x.mu.Lock()
	x.over = true
	x.changed.Broadcast()
	x.mu.Unlock()
	x.stop()
	close(x.ended)
	x.widens.Wait()
	x.d.local.synced.stop()
}

// first gives the main stream its first segment: the first that lacks something, or else
// the last one.
func (x *streams) first() *segment {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.d.parts.idle()
	if p == nil {
		p = x.d.parts[len(x.d.parts)-1]
	}
	p.busy = true
	return p
}

// all has the main stream go on with what is missing, and waits for the others. err is
// how its first segment has ended.
func (x *streams) all(ctx context.Context, err error) error {
	if err == nil {
		err = x.work(ctx)
	}
	return x.finish(ctx, err)
}

// take gives a stream the next segment to fetch, nil for none: one that nobody is at, or
// half of what another stream still has before it.
func (x *streams) take(main bool) *segment {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.differs || !main && x.mustLeave() {
		return nil
	}
	p := x.d.parts.idle()
	if p == nil && !x.full {
		p = x.d.parts.split(x.head())
	}
	if p != nil {
		p.busy = true
	}
	return p
}

// mustLeave reports whether the streams besides the main one are to end: also where
// other work waits for a connection.
func (x *streams) mustLeave() bool { return x.leave || x.main.Host.Crowded() }

// work has the main stream fetch segments until there are no more.
func (x *streams) work(ctx context.Context) error {
	for {
		p := x.take(true)
		if p == nil {
			return nil
		}
		if err := x.fetch(ctx, x.main, p, &segmentWriter{}); err != nil {
			return err
		}
	}
}

// fetch fetches one segment. It begins a little before the end of what is there of it,
// and goes on a little into what comes behind it: what does not match is not of the
// same file, or not from where it was asked for.
func (x *streams) fetch(ctx context.Context, l *session.Lease, p *segment, w *segmentWriter) error {
	d := x.d
	x.mu.Lock()
	w.x, w.l, w.p, w.pos = x, l, p, max(p.at-overlap, p.from)
	opt := transport.IO{Size: max(d.size-w.pos, 0)}
	if p.end < d.size {
		opt.Limit = min(p.end+overlap, d.size) - w.pos
		opt.Size = opt.Limit
	}
	if w.other {
		opt.Size = 0 // it is the connections that are several, not what is on each
	}
	x.mu.Unlock()
	got, err := l.Retrieve(ctx, d.spec.Remote, w.pos, w, &opt)
	return x.fetched(w, err, opt.Limit > 0 && got == opt.Limit)
}

// fetched is the end of a Retrieve into w. limited tells that it ended where it was
// to, though the segment may have become longer meanwhile.
func (x *streams) fetched(w *segmentWriter, err error, limited bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.changed.Broadcast()
	p, d := w.p, x.d
	p.busy = false
	if err != nil || p.gone || w.enough || limited {
		return err
	}
	if d.size < 0 { // the server knows where it ends
		p.end = p.at
		return nil
	}
	if p.missing() == 0 && !d.parts.done(slices.Index(d.parts, p)) {
		return checkLength(w.l, d.spec.Remote, w.pos, min(p.end+overlap, d.size))
	}
	return checkLength(w.l, d.spec.Remote, p.at, p.end)
}

// finish waits until all is there, or the streams can do no more. err is how the main
// one has ended.
func (x *streams) finish(ctx context.Context, err error) error {
	x.mu.Lock()
	for !x.d.parts.complete() && (err == nil || lineFailed(err)) && ctx.Err() == nil && !x.differs {
		if err == nil && x.d.parts.idle() != nil { // a stream was lost
			x.mu.Unlock()
			err = x.work(ctx)
			x.mu.Lock()
			continue
		}
		if x.others == 0 {
			break
		}
		x.changed.Wait()
	}
	x.mu.Unlock()
	x.stop()
	close(x.ended)
	x.widens.Wait()
	x.dials.Wait()
	x.mu.Lock()
	for !x.d.parts.complete() && x.others > 0 {
		x.changed.Wait()
	}
	x.over = true
	for x.telling { // nothing is told after the call has returned
		x.changed.Wait()
	}
	panicked := x.panicked
	x.mu.Unlock()
	x.d.live = nil
	x.d.local.synced.stop()
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// lineFailed reports whether an error is about one connection alone.
func lineFailed(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindLost, transport.KindStalled, transport.KindTimeout:
		return true
	}
	return false
}

// there is what is there; false where that is not to be relied on.
func (x *streams) there() ([]transfer.Range, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.d.parts.ranges(), !x.differs
}

// complete reports whether nothing is missing.
func (x *streams) complete() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.d.parts.complete()
}

// errPassed: more came than the file has.
func (d *download) errPassed() error {
	return fmt.Errorf("%w: the server sends more than the %d bytes it named", transfer.ErrSourceChanged, d.size)
}

// segmentWriter compares what comes of a segment with what is there, and writes what is not.
type segmentWriter struct {
	x     *streams
	l     *session.Lease
	p     *segment
	pos   int64  // of the next byte that comes
	other bool   // it is not the main stream's
	begun func() // told of the first bytes, if it is not nil
	// behind is where what comes behind the segment has been compared, once that began.
	behind int64
	enough bool // it wants no more
}

func (w *segmentWriter) Write(b []byte) (int, error) {
	w.x.mu.Lock()
	defer w.x.mu.Unlock()
	defer w.x.tell()
	done := 0
	for done < len(b) {
		n, err := w.some(b[done:])
		done += n
		if err != nil {
			w.enough = errors.Is(err, transport.ErrEnough)
			return done, err
		}
	}
	return done, nil
}

// some takes the beginning of b.
func (w *segmentWriter) some(b []byte) (int, error) {
	x, p, d := w.x, w.p, w.x.d
	switch {
	case x.over || x.differs || p.gone || w.other && x.mustLeave():
		return 0, transport.ErrEnough
	case w.pos < p.at && w.behind == 0:
		return w.compare(b[:min(int64(len(b)), p.at-w.pos)])
	case p.missing() == 0:
		return w.pass(b)
	case d.size >= 0 && p.end == d.size && int64(len(b)) > p.missing():
		return 0, d.errPassed()
	}
	b = b[:min(int64(len(b)), p.missing())]
	n, err := d.local.file.WriteAt(b, w.pos)
	w.pos += int64(n)
	p.at = w.pos
	w.moved(n)
	x.got += int64(n)
	if !x.started && n > 0 {
		x.started = true
		close(x.begun)
	}
	d.local.synced.written(int64(n))
	if w.begun != nil {
		w.begun()
	}
	if p.missing() == 0 {
		x.changed.Broadcast()
	}
	return n, err
}

// pass takes what comes behind the end of the segment: it must be what is there. Where too
// little of it is there to tell, the segment goes on and the one behind it ends.
func (w *segmentWriter) pass(b []byte) (int, error) {
	p, d := w.p, w.x.d
	if p.end == d.size {
		return 0, d.errPassed()
	}
	if w.behind == 0 {
		if d.parts.follow(p) < min(overlap, d.size-p.end) {
			d.parts.join(p)
			return 0, nil
		}
		w.behind = p.end
	}
	left := min(p.end+overlap, d.size) - w.behind
	n, err := w.compare(b[:min(int64(len(b)), left)])
	if w.behind += int64(n); err == nil && int64(n) == left {
		p.met = true
		w.x.changed.Broadcast()
		err = transport.ErrEnough
	}
	return n, err
}

// compare takes bytes that are there already.
func (w *segmentWriter) compare(b []byte) (int, error) {
	same, err := sameAt(w.x.d.local.file, w.pos, b)
	if err != nil {
		return 0, err
	}
	if !same {
		w.x.differs = true
		return 0, transfer.ErrDiffers
	}
	w.pos += int64(len(b))
	w.moved(len(b))
	return len(b), nil
}

func (w *segmentWriter) moved(n int) {
	d := w.x.d
	d.res.Moved += int64(n)
	w.l.Moved(int64(n))
	d.env.Received(int64(n))
	w.x.news, w.x.newest = true, w.l
}

// tell tells of progress, without the lock, since a caller may take its time over that.
// One stream at a time does; what the others bring meanwhile it tells too.
func (x *streams) tell() {
	if x.telling || !x.news {
		return
	}
	d := x.d
	x.telling = true
	defer func() {
		x.telling = false
		x.changed.Broadcast()
	}()
	for x.news && !x.over {
		x.news = false
		x.report(x.newest, transfer.Position{Offset: d.parts.have(), Size: d.size})
	}
}

// report is told without the lock, and has it again also where a caller's code panics.
func (x *streams) report(l *session.Lease, at transfer.Position) {
	x.mu.Unlock()
	defer x.mu.Lock()
	x.d.env.Report(l, x.d.task, x.d.spec.Progress, at)
}
