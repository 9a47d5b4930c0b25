//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// each calls f for 0 to n-1, all at once.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// maxTries bounds whole-file retry.
const maxTries = 1000

// spread calls move for each file of the folder of a task, by t.Conns times
// t.InFlight workers, and returns how often it did. list names the files on the
// server. With t.Retry, move is called again for a file that has failed, at once.
func spread(t *task, move func(worker int, name string, again bool) error, list func() ([]string, error)) (tries int, err error) {
	var names []string
	if t.Up {
		var entries []os.DirEntry
		entries, err = os.ReadDir(t.Local)
		for _, e := range entries {
			names = append(names, e.Name())
		}
	} else {
		names, err = list()
	}
	if err != nil {
		return 0, err
	}
	jobs := make(chan string, len(names))
	for _, name := range names {
		jobs <- name
	}
	close(jobs)
	var made atomic.Int64
	err = each(t.Conns*max(1, t.InFlight), func(worker int) error {
		for name := range jobs {
			made.Add(1)
			err := move(worker, name, false)
			for n := 1; err != nil && t.Retry && n < maxTries; n++ {
				made.Add(1)
				err = move(worker, name, true)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	return int(made.Load()), err
}

var copyBuffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

func buffer() *[256 << 10]byte    { return copyBuffers.Get().(*[256 << 10]byte) }
func giveBack(b *[256 << 10]byte) { copyBuffers.Put(b) }
