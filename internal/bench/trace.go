//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// traceVariable names the folder for what this library says to the servers and
// is answered, "" for none.
const traceVariable = "FTPX_BENCH_TRACE"

// traced writes each command and reply, with its time, to a file until the result
// is called. It costs time: what is measured with it is not to be compared.
func traced(t *task) (*ftpx.Hooks, func(), error) {
	dir := os.Getenv(traceVariable)
	if dir == "" {
		return nil, func() {}, nil
	}
	f, err := os.Create(filepath.Join(dir, t.label()+".trace"))
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	begin := time.Now()
	write := func(sign string, what ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(f, "%8.1f ms %s %s", float64(time.Since(begin).Microseconds())/1000, sign, fmt.Sprintln(what...))
	}
	hooks := &ftpx.Hooks{
		Command: func(_ context.Context, i ftpx.CommandInfo) { write(">", i.Line) },
		Reply:   func(_ context.Context, i ftpx.ReplyInfo) { write("<", i.Code, i.Text) },
	}
	return hooks, func() { f.Close() }, nil
}

// label names a task for files about it.
func (t *task) label() string {
	return fmt.Sprintf("%s-%s-%s-%s", t.Peer, t.Endpoint.Proto, t.What, direction(t.Up))
}
