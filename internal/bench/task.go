//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// The command runs itself for what it measures, so that Go programs are processes
// of their own, as the tools are: with their own memory, CPU time and start.
const (
	modeVariable = "FTPX_BENCH_MODE" // how the command was called by itself
	modeChild    = "child"           // carry out one task, see task
	modeRun      = "run"             // start programs and measure them, see plan
)

// A protocol is one of ftpx's that can be written as JSON and read again.
type protocol struct{ ftpx.Protocol }

// UnmarshalText reads what MarshalText, which is ftpx's, has written.
func (p *protocol) UnmarshalText(text []byte) (err error) {
	p.Protocol, err = ftpx.ParseProtocol(string(text))
	return err
}

// An endpoint is a server as a client reaches it, through a line or not.
type endpoint struct {
	Proto          protocol
	Host           string
	Port           int
	User, Password string
	// CAFile, KnownHosts and KeyFile are files: authority, host keys, private key.
	CAFile, KnownHosts, KeyFile string
	// Root is the login folder on the server's disk.
	Root string
}

func (e *endpoint) addr() string { return fmt.Sprintf("%s:%d", e.Host, e.Port) }

// What a task moves.
const (
	oneFile   = "file"
	manyFiles = "many"
	listing   = "list"
)

// A task is what a Go program under test is told, on its standard input.
type task struct {
	Peer     string // ours, or one of the bare libraries
	Endpoint endpoint
	What     string
	Up       bool
	Local    string // file or folder
	Remote   string // file or folder, relative to the login folder
	Size     int64  // of the file, for the raw copy
	Conns    int    // connections for many files
	InFlight int    // files at once on each of them, where the peer can
	Retry    bool   // begin again from zero after a fault, on the bare libraries
	// Collector is the address to which OpenTelemetry sends.
	Collector string
}

// An outcome is what it answers, on its standard output.
type outcome struct {
	Connected time.Duration // from its start until it was logged in
	Work      time.Duration // from then on
	Mallocs   uint64        // allocations after logging in
	Allocated uint64        // their bytes
	Tries     int           // with Retry
	Entries   int           // of a listing
}

// peerFunc carries out a task. It calls ready when it is logged in.
type peerFunc func(ctx context.Context, t *task, ready func()) (outcome, error)

var goPeers = map[string]peerFunc{
	"ours": runOurs,
	"ftp":  runBareFTP,
	"sftp": runBareSFTP,
	"raw":  runRaw,
}

// childMain carries out the task on standard input.
func childMain() error {
	begin := time.Now()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var t task
	if err := json.Unmarshal(text, &t); err != nil {
		return err
	}
	library, _, _ := strings.Cut(t.Peer, "+") // what comes after it watches
	run := goPeers[library]
	if run == nil {
		return fmt.Errorf("unknown peer %q", t.Peer)
	}
	stop, err := profile(&t)
	if err != nil {
		return err
	}
	var before, after runtime.MemStats
	connected := begin
	out, err := run(context.Background(), &t, func() {
		connected = time.Now()
		runtime.ReadMemStats(&before)
	})
	if err != nil {
		return err
	}
	end := time.Now()
	stop()
	runtime.ReadMemStats(&after)
	out.Connected, out.Work = connected.Sub(begin), end.Sub(connected)
	out.Mallocs, out.Allocated = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return json.NewEncoder(os.Stdout).Encode(out)
}
