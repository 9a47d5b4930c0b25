package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// front is the address that mirrors the real servers' passive ports.
const front = "127.0.0.2"

func startReal(ctx context.Context, p ftpx.Protocol, seed uint64) (_ *line, err error) {
	opt := realserver.Options{Kind: realserver.OpenSSH}
	switch p {
	case ftpx.FTP:
		opt = realserver.Options{Kind: realserver.VSFTPD}
	case ftpx.FTPS:
		opt = realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, RequireReuse: true}
	}
	srv, err := realserver.Start(ctx, opt)
	if err != nil {
		return nil, err
	}
	l := &line{name: string(opt.Kind), root: srv.Root, proxy: faultproxy.New(faultproxy.Options{Seed: seed}),
		// vsftpd has no MLSD, and its listings tell times to the minute or day.
		ledger: opt.Kind == realserver.VSFTPD}
	l.end(srv.Close)
	l.end(l.proxy.Close)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.order = order{Protocol: p, User: srv.User, Password: srv.Password}
	for _, k := range srv.HostKeys() {
		l.order.HostKeys = append(l.order.HostKeys, ssh.FingerprintSHA256(k))
	}
	if srv.CAFile != "" {
		if l.order.CA, err = os.ReadFile(srv.CAFile); err != nil {
			return nil, err
		}
	}
	if p != ftpx.SFTP {
		if _, err = l.proxy.MirrorRange(front, srv.Host, srv.PassiveLo, srv.PassiveHi, data); err != nil {
			return nil, fmt.Errorf("the passive ports: %w", err)
		}
	}
	return l, l.route(front, srv.Addr())
}
