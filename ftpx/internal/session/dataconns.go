package session

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// FTP moves each file and each listing over a connection of its own. One that is lost need
// not take the control connection with it, so that no connection of the pool has ended: it
// is counted here.

// DataConns counts FTP's data connections.
type DataConns struct {
	// Opened is how many were opened, Lost how many of them were reset, ended too soon or
	// stalled while the control connection went on.
	Opened, Lost int
}

// dataTally adds up those of all leases of an attempt.
type dataTally struct{ opened, lost atomic.Int64 }

func (t *dataTally) sum() DataConns { return DataConns{int(t.opened.Load()), int(t.lost.Load())} }

// dataCounter is the connection of a lease over FTP.
type dataCounter struct {
	transport.Conn
	DataConns
	tally *dataTally
}

// Do implements [transport.Conn].
func (d *dataCounter) Do(ctx context.Context, b *transport.Batch) error {
	err := d.Conn.Do(ctx, b)
	for _, r := range b.Requests {
		switch r.(type) {
		case *transport.Store, *transport.Retrieve, *transport.List:
			if dataLost(r.Common().Err) && d.Usable() {
				d.Lost++
			}
		}
	}
	return err
}

// dataLost reports whether a transfer that has failed has lost its data connection. A 425
// says that there was none.
func dataLost(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindLost, transport.KindStalled, transport.KindTruncated:
		var te *transport.Error
		return !(errors.Is(err, transport.ErrUnsent) || errors.As(err, &te) && te.Code == 425)
	}
	return false
}

// over tells of a lease that is over.
func (l *Lease) over() {
	d := &l.data
	if d.Conn != nil {
		d.Opened = l.Host.pool.newData(l.conn)
		d.tally.opened.Add(int64(d.Opened))
		d.tally.lost.Add(int64(d.Lost))
	}
	if l.moved || d.Opened > 0 {
		l.Host.s.opts.Events.Released(l)
	}
}

// Data counts the data connections that were used since the last lease of the connection was
// over. It is for a lease that is over itself.
func (l *Lease) Data() DataConns { return l.data.DataConns }

// newData returns how many data connections were opened since it was last asked.
func (p *pool) newData(pc *pooled) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := pc.dataConns
	pc.dataConns = pc.Traffic.Total().DataConns
	return int(pc.dataConns - was)
}
