package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
)

// engine is embedded in each command that reaches an engine.
type engine struct {
	Nats      string `placeholder:"URL" group:"how" help:"The engine: nats://host:port, several with commas ($$FTPX_NATS, or nats://127.0.0.1:4222)."`
	NatsCreds string `placeholder:"FILE" group:"login" help:"Credentials for the engine; otherwise $$FTPX_NATS_USER and $$FTPX_NATS_PASSWORD."`
	NatsCa    string `placeholder:"FILE" group:"login" help:"PEM file of authorities that the engine's certificate is trusted by."`
	NatsCert  string `placeholder:"FILE" group:"login" help:"PEM file of this client's certificate."`
	NatsKey   string `placeholder:"FILE" group:"login" help:"PEM file of its key."`
}

// connectWithin is how long an engine may take to answer a command.
const connectWithin = 10 * time.Second

// connect connects to the engine. A worker waits for one that is away; a command does not.
func (e *engine) connect(w *world) (*nats.Conn, error) {
	url := e.Nats
	if url == "" {
		url = w.env.Getenv("FTPX_NATS")
	}
	if url == "" {
		url = nats.DefaultURL
	}
	for _, u := range strings.Split(url, ",") {
		if err := cli.CheckArg(u); err != nil {
			return nil, fmt.Errorf("%w (for --nats: into $FTPX_NATS_PASSWORD)", err)
		}
	}
	opts := append(natsOptions(w), nats.Timeout(connectWithin))
	for name, file := range map[string]string{"--nats-creds": e.NatsCreds, "--nats-ca": e.NatsCa, "--nats-cert": e.NatsCert, "--nats-key": e.NatsKey} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", cli.ErrUsage, name, err)
		}
	}
	switch user := w.env.Getenv("FTPX_NATS_USER"); {
	case e.NatsCreds != "":
		opts = append(opts, nats.UserCredentials(e.NatsCreds))
	case user != "":
		opts = append(opts, nats.UserInfo(user, w.env.Getenv("FTPX_NATS_PASSWORD")))
	}
	if e.NatsCa != "" {
		opts = append(opts, nats.RootCAs(e.NatsCa))
	}
	if (e.NatsCert == "") != (e.NatsKey == "") {
		return nil, fmt.Errorf("%w: --nats-cert and --nats-key go together", cli.ErrUsage)
	}
	if e.NatsCert != "" {
		opts = append(opts, nats.ClientCert(e.NatsCert, e.NatsKey))
	}
	nc, err := nats.Connect(url, opts...)
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return nil, fmt.Errorf("--nats: the engine at %s refuses the login: set $FTPX_NATS_USER and $FTPX_NATS_PASSWORD, or --nats-creds: %w", url, err)
	case err != nil:
		return nil, fmt.Errorf("--nats: no engine at %s: start one with ftpx fleet serve --listen, or name another: %w", url, err)
	}
	return nc, nil
}

func natsOptions(w *world) []nats.Option {
	return []nats.Option{nats.Name(w.name), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, time.Second)}
}

// with calls do with the fleet of the engine.
func (e *engine) with(w *world, do func(ctx context.Context, f *fleet.Fleet) error) error {
	nc, err := e.connect(w)
	if err != nil {
		return err
	}
	defer nc.Close()
	f, err := fleet.Open(w.ctx, nc, nil)
	if err != nil {
		return err
	}
	err = do(w.ctx, f)
	if errors.Is(err, fleet.ErrJob) || errors.Is(err, fleet.ErrNoJob) || errors.Is(err, fleet.ErrNoTarget) || errors.Is(err, fleet.ErrEnded) {
		return fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	return err
}
