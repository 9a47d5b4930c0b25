package ftpx_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// Scopes return the function that is told how they ended. An attempt that failed and was
// followed by one that did not is no error of its operation.
func ExampleHooks_retry() {
	opts := ftpx.Options{Hooks: &ftpx.Hooks{
		Operation: func(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			return ctx, func(e ftpx.OperationEnd) {
				fmt.Printf("operation %d: %s %q, %v, attempts %d\n", i.ID, i.Op, i.Remote, e.Result.Outcome, e.Result.Attempts)
			}
		},
		Retry: func(_ context.Context, i ftpx.RetryInfo) {
			fmt.Printf("operation %d: attempt %d on connection %d: %v\n", i.ID, i.Attempt, i.Conn, ftpx.KindOf(i.Err))
		},
	}}
	c := ftpxtest.NewClient(ftpxtest.WithOptions(opts))
	defer c.Close()
	var once sync.Once // all connections are cut when the file has begun to move
	cut := func(ftpx.ProgressInfo) { once.Do(func() { c.Cut() }) }
	if _, err := c.Put(context.Background(), "report.csv", bytes.NewReader(make([]byte, 200_000)), &ftpx.PutOptions{Progress: cut}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// operation 1: open "", done, attempts 1
	// operation 2: attempt 1 on connection 1: connection lost
	// operation 2: put "report.csv", done, attempts 2
}

// Health tells what the last hour has seen.
func ExampleClient_health() {
	c := ftpxtest.NewClient()
	defer c.Close()
	if _, err := c.Put(context.Background(), "report.csv", bytes.NewReader(make([]byte, 5000)), nil); err != nil {
		fmt.Println(err)
	}
	if _, err := c.Get(context.Background(), "report.csv", io.Discard, nil); err != nil {
		fmt.Println(err)
	}
	for _, h := range c.Health() {
		fmt.Printf("%v: %d bytes, %d of %d connections lost, %d alarms, cuts have %d patterns\n",
			h.Protocol, h.BytesMoved, h.ResetRate.Events, h.ResetRate.Of, len(h.Alarms), len(h.Cut.Common))
	}
	// Output: sftp: 10000 bytes, 0 of 1 connections lost, 0 alarms, cuts have 0 patterns
}
