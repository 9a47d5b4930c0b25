package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// childEnv makes this program, or its test, the process that is killed. What it is
// to do comes by standard input, the password with it.
const childEnv = "TREEDRILL_CHILD"

const (
	parallel = 32
	maxConns = 8
)

// order is what a child is to do. It is the same at each start, but for StopAfter.
type order struct {
	Up       bool
	Local    string
	Remote   string
	Ledger   string // file, "" for none
	DryRun   bool
	Protocol ftpx.Protocol `json:"-"`
	Scheme   string        // what Protocol is in JSON
	Host     string
	Port     int
	User     string
	Password string
	HostKeys []string // fingerprints
	CA       []byte   // PEM
	// StopAfter is how many files are done when the child stops, to be killed then; -1 for
	// never.
	StopAfter int
}

// word is one line of what a child says.
type word struct {
	Done    string         `json:",omitempty"` // a file that was copied
	Err     string         `json:",omitempty"` // an item's error
	Report  *folder.Report `json:",omitempty"` // the end
	Failure string         `json:",omitempty"` // beside Report
	Memory  int64          `json:",omitempty"` // beside Report: the peak in bytes
}

func childMain() {
	var o order
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = json.Unmarshal(input, &o)
	}
	if err == nil {
		o.Protocol, err = ftpx.ParseProtocol(o.Scheme)
	}
	out := bufio.NewWriter(os.Stdout)
	say := json.NewEncoder(out)
	var end word
	if err == nil {
		var report folder.Report
		done := 0
		report, err = o.mirror(context.Background(), func(w word) {
			_ = say.Encode(w)
			_ = out.Flush() // before a kill can come
			if w.Done != "" {
				done++
			}
			if done == o.StopAfter {
				select {} // to be killed before the job can end; other files are on their way
			}
		})
		end.Report, end.Memory = &report, peakMemory()
	}
	if err != nil {
		end.Failure = err.Error()
	}
	_ = say.Encode(end)
	_ = out.Flush()
	if err != nil {
		os.Exit(1)
	}
}

// mirror is the job, as a program would do it that cron starts.
func (o *order) mirror(ctx context.Context, say func(word)) (folder.Report, error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(o.CA)
	client, err := ftpx.New(ctx, ftpx.Config{Host: o.Host, User: o.User, Options: ftpx.Options{
		Password: ftpx.Secret(o.Password), Protocols: []ftpx.Protocol{o.Protocol}, AllowPlaintext: o.Protocol == ftpx.FTP,
		Ports: ftpx.Ports{SFTP: o.Port, FTP: o.Port}, Limits: ftpx.Limits{Conns: maxConns},
		SSH: transport.SSH{HostKeyFingerprints: o.HostKeys},
		TLS: transport.TLS{Config: &tls.Config{RootCAs: pool}},
	}})
	if err != nil {
		return folder.Report{}, err
	}
	defer client.Close()
	opts := &folder.Options{
		Parallel: parallel, DryRun: o.DryRun, Job: "treedrill",
		// What a kill has left that no transfer goes on with is deleted at the end.
		Delete: true, PartialAge: time.Nanosecond,
		OnItem: func(i folder.Item) {
			switch {
			case i.Err != nil:
				say(word{Err: i.String()})
			case !o.DryRun && (i.Action == folder.Send || i.Action == folder.Fetch):
				say(word{Done: i.Path})
			}
		},
	}
	if o.Ledger != "" {
		l, err := ledger.Open(o.Ledger, nil)
		if err != nil {
			return folder.Report{}, err
		}
		defer l.Close()
		opts.Ledger = l
	}
	if o.Up {
		return folder.Upload(ctx, client, o.Local, o.Remote, opts)
	}
	return folder.Download(ctx, client, o.Remote, o.Local, opts)
}
