// Metrics shows a client's counters at /debug/vars, for whatever reads expvar, while it sends
// what standard input names, a file a line.
//
//	find out -name '*.csv' | FTPX_PASSWORD=... metrics sftp://user@files.example.com/in 127.0.0.1:9100
package main

import (
	"bufio"
	"context"
	"expvar"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func main() {
	ctx := context.Background()
	c, err := ftpx.Open(ctx, os.Args[1], &ftpx.Options{Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD"))})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	// What a graph wants: Done, Failed and Unknown; Retries and Resumes; BytesSent against
	// BytesNeeded, which is what a bad line costs; Open and Idle.
	expvar.Publish("ftpx", expvar.Func(func() any { return c.Stats() }))
	listener, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + listener.Addr().String() + "/debug/vars")
	go func() { log.Fatal(http.Serve(listener, nil)) }()

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		name := lines.Text()
		res, err := c.Upload(ctx, name, filepath.Base(name), nil)
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Println(name, res.Outcome)
	}
}
