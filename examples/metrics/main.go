// Metrics probes a server: every few seconds it sends a small file, fetches it back,
// compares and removes it, and it serves what it has seen.
//
//	metrics [flags] URL
//
// It shows how a program of yours is watched, and it is of use where nothing else moves
// files all day. It serves /metrics for Prometheus, /healthz, /readyz and a page at /.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/status"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

const usage = `Usage: metrics [flags] URL

Probes the server at URL, sftp://user@host/folder or ftpx://, ftpes://, ftps://, ftp://:
sends a small file to the folder, fetches it back, compares and removes it, again and
again until it gets SIGINT or SIGTERM. What it has seen is served at http://ADDRESS/, for
Prometheus at /metrics. The password comes from FTPX_PASSWORD.

Flags:
`

// Exit codes.
const (
	exitDone  = 0
	exitFault = 1 // it could not begin
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// settings are the flags.
type settings struct {
	url, address       string
	every              time.Duration
	size               int64
	parallel           int
	caFile, knownHosts string
	plaintext          bool
	maxConns           int
	window             time.Duration
}

func parse(args []string, stderr io.Writer) (s settings, err error) {
	fs := flag.NewFlagSet("metrics", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&s.address, "metrics", status.DefaultAddress, "`ADDRESS`, host:port, that is served; port 0 is any")
	fs.DurationVar(&s.every, "every", 10*time.Second, "how often a probe begins, at least 10ms")
	fs.Int64Var(&s.size, "size", 64<<10, "bytes of the file, 0 to 1 GiB")
	fs.IntVar(&s.parallel, "parallel", 1, "how many probes run beside each other, 1 to 64")
	fs.IntVar(&s.maxConns, "max-conns", 0, "most connections, 0 for the library's default")
	fs.DurationVar(&s.window, "window", 0, "over how long alarms look back, 1m to 24h; 0 means an hour")
	fs.StringVar(&s.caFile, "ca-file", "", "PEM `file` of authorities for TLS, besides the system's")
	fs.StringVar(&s.knownHosts, "known-hosts", "", "known_hosts `file` for SSH, instead of ~/.ssh/known_hosts")
	fs.BoolVar(&s.plaintext, "allow-plaintext", false, "allow plain FTP, which shows the password to anyone on the way")
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	switch {
	case fs.NArg() != 1:
		return s, fmt.Errorf("%d arguments: give one URL, after the flags, such as sftp://user@host/folder", fs.NArg())
	case s.every < 10*time.Millisecond:
		return s, fmt.Errorf("-every %v: give 10ms or more", s.every)
	case s.size < 0 || s.size > 1<<30:
		return s, fmt.Errorf("-size %d: give 0 to 1073741824", s.size)
	case s.parallel < 1 || s.parallel > 64:
		return s, fmt.Errorf("-parallel %d: give 1 to 64", s.parallel)
	}
	s.url = fs.Arg(0)
	return s, nil
}

// options are those of the client.
func (s *settings) options(st *status.Status) *ftpx.Options {
	o := &ftpx.Options{
		Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD")), AllowPlaintext: s.plaintext, Limits: ftpx.Limits{Conns: s.maxConns},
		Alarms: ftpx.Alarms{Window: s.window}, Hooks: st.Hooks(),
	}
	o.TLS.CAFile = s.caFile
	if s.knownHosts != "" {
		o.SSH.KnownHosts = []string{s.knownHosts}
	}
	return o
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err != nil {
		fmt.Fprintln(stderr, "metrics:", err)
		return exitUsage
	}
	st, err := status.New("metrics")
	if err != nil {
		fmt.Fprintln(stderr, "metrics:", err)
		return exitFault
	}
	at, stop, err := st.Serve(ctx, "-metrics", s.address)
	if err != nil {
		fmt.Fprintln(stderr, "metrics:", err)
		return exitUsage
	}
	defer stop()
	fmt.Fprintf(stderr, "metrics: serving http://%s/\n", at)
	if err := probe(ctx, &s, st, stderr); err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "metrics:", err)
		return exitFault
	}
	return exitDone
}
