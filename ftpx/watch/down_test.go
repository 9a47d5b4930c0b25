package watch_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// downClient lists nothing while it is down.
type downClient struct {
	ftpx.Client
	down atomic.Bool
}

func (d *downClient) List(ctx context.Context, dir string) iter.Seq2[ftpx.Entry, error] {
	if !d.down.Load() {
		return d.Client.List(ctx, dir)
	}
	return func(yield func(ftpx.Entry, error) bool) { yield(ftpx.Entry{}, errors.New("down")) }
}
