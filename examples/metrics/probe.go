package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/status"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errOther says that a file came back with another content.
var errOther = errors.New("what came back is not what was sent")

// probe opens a client and runs probes until the context ends. What fails is told, and
// tried again at the next turn.
func probe(ctx context.Context, s *settings, st *status.Status, log io.Writer) error {
	client, err := open(ctx, s, st, log)
	if err != nil {
		return err
	}
	defer client.Close()
	defer st.Watch(client)()
	run := make([]byte, 6)
	_, _ = rand.Read(run) // it does not fail
	var wg sync.WaitGroup
	var mu sync.Mutex // guards log
	for i := range s.parallel {
		wg.Go(func() {
			name := fmt.Sprintf("ftpx-probe-%s-%d", hex.EncodeToString(run), i)
			content := make([]byte, s.size)
			_, _ = rand.Read(content)
			tick := time.NewTicker(s.every)
			defer tick.Stop()
			for {
				if err := once(ctx, client, name, content); err != nil && ctx.Err() == nil {
					mu.Lock()
					fmt.Fprintf(log, "metrics: %s: %v\n", time.Now().UTC().Format(time.RFC3339), err)
					mu.Unlock()
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// open keeps trying while the host does not answer: a probe that ends with what it watches
// is none. What a human must mend ends it.
func open(ctx context.Context, s *settings, st *status.Status, log io.Writer) (ftpx.Client, error) {
	for {
		client, err := ftpx.Open(ctx, s.url, s.options(st))
		if err == nil || ctx.Err() != nil || !away(err) {
			return client, err
		}
		fmt.Fprintf(log, "metrics: %v; trying again in %v\n", err, s.every)
		select {
		case <-time.After(s.every):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// away reports whether a host did not answer, or not well, which may pass.
func away(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindNoHost, transport.KindUnreachable, transport.KindTimeout, transport.KindLost, transport.KindStalled,
		transport.KindBusy, transport.KindProtocol, transport.KindTemporary:
		return true
	}
	return false
}

// once sends a file, fetches it back and removes it. It may fail on the way and be run
// again: the file is replaced.
func once(ctx context.Context, c ftpx.Client, name string, content []byte) error {
	if _, err := c.Put(ctx, name, bytes.NewReader(content), nil); err != nil {
		return err
	}
	var back bytes.Buffer
	if _, err := c.Get(ctx, name, &back, nil); err != nil {
		return err
	}
	if !bytes.Equal(back.Bytes(), content) {
		return fmt.Errorf("%s: %w", name, errOther)
	}
	return c.Remove(ctx, name)
}
