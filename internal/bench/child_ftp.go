//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// runBareFTP is github.com/jlaffaye/ftp as its best use is: uploads by sendfile
// where there is no TLS, large buffers for downloads, TLS sessions resumed, one
// file after the other on each connection.
func runBareFTP(ctx context.Context, t *task, ready func()) (out outcome, err error) {
	options := []ftp.DialOption{ftp.DialWithTimeout(time.Minute)}
	var config func() *tls.Config
	if t.Endpoint.Proto.Protocol == ftpx.FTPS {
		pem, err := os.ReadFile(t.Endpoint.CAFile)
		if err != nil {
			return out, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		config = func() *tls.Config {
			// Servers take data connections that resume the session of their own
			// control connection: one cache for all would hand out another's.
			c := &tls.Config{RootCAs: pool, ServerName: t.Endpoint.Host, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
			if t.Retry {
				// The tickets of TLS 1.3 are used up: after a reset there is none left.
				c.MaxVersion = tls.VersionTLS12
			}
			return c
		}
	}
	dial := func() (*ftp.ServerConn, error) {
		o := options
		if config != nil {
			o = append(slices.Clip(options), ftp.DialWithExplicitTLS(config()))
		}
		c, err := ftp.Dial(t.Endpoint.addr(), o...)
		if err != nil {
			return nil, err
		}
		if err := c.Login(t.Endpoint.User, t.Endpoint.Password); err != nil {
			return nil, errors.Join(err, c.Quit())
		}
		return c, nil
	}
	conns := make([]*ftp.ServerConn, max(1, t.Conns))
	if err := each(len(conns), func(i int) (err error) { conns[i], err = dial(); return err }); err != nil {
		return out, err
	}
	ready()
	switch {
	case t.What == listing:
		entries, err := conns[0].List(t.Remote)
		for _, e := range entries {
			if e.Name != "." && e.Name != ".." {
				out.Entries++
			}
		}
		return out, err
	case t.What == oneFile:
		err = bareFTPFile(conns[0], t.Up, t.Local, t.Remote)
	default:
		out.Tries, err = spread(t, func(worker int, name string, again bool) (err error) {
			if again {
				if conns[worker], err = revive(conns[worker], dial); err != nil {
					return err
				}
			}
			return bareFTPFile(conns[worker], t.Up, filepath.Join(t.Local, name), path.Join(t.Remote, name))
		}, func() ([]string, error) {
			entries, err := conns[0].NameList(t.Remote)
			for i := range entries {
				entries[i] = path.Base(entries[i])
			}
			return entries, err
		})
	}
	if err != nil {
		return out, err
	}
	return out, each(len(conns), func(i int) error { return conns[i].Quit() })
}

// revive returns the connection if it still answers, as it does when a data
// connection alone was reset, else a new one.
func revive(c *ftp.ServerConn, dial func() (*ftp.ServerConn, error)) (*ftp.ServerConn, error) {
	if c != nil {
		if c.NoOp() == nil {
			return c, nil
		}
		_ = c.Quit()
	}
	return dial()
}

func bareFTPFile(c *ftp.ServerConn, up bool, local, remote string) error {
	if up {
		f, err := os.Open(local)
		if err != nil {
			return err
		}
		defer f.Close()
		return c.Stor(remote, f)
	}
	r, err := c.Retr(remote)
	if err != nil {
		return err
	}
	f, err := os.Create(local)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	defer f.Close()
	buf := buffer()
	defer giveBack(buf)
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, r, buf[:])
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return err
}
