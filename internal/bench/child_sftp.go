//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// requests is how many of 255 KiB are in flight for one file: more than SSH's
// window of 2 MiB lets through.
const requests = 64

// runBareSFTP is github.com/pkg/sftp at its best settings: the fast cipher first,
// packets of 255 KiB, which OpenSSH takes, and concurrent writes and reads.
func runBareSFTP(ctx context.Context, t *task, ready func()) (out outcome, err error) {
	conns := make([]*bareSFTP, max(1, t.Conns))
	err = each(len(conns), func(i int) (err error) { conns[i], err = dialBareSFTP(&t.Endpoint); return err })
	if err != nil {
		return out, err
	}
	ready()
	switch {
	case t.What == listing:
		entries, err := conns[0].ReadDir(t.Remote)
		out.Entries = len(entries)
		return out, err
	case t.What == oneFile:
		err = bareSFTPFile(conns[0], t.Up, t.Local, t.Remote)
	default:
		out.Tries, err = spread(t, func(worker int, name string, again bool) (err error) {
			c := &conns[worker%len(conns)]
			if again {
				if *c != nil {
					(*c).ssh.Close()
				}
				if *c, err = dialBareSFTP(&t.Endpoint); err != nil {
					return err
				}
			}
			return bareSFTPFile(*c, t.Up, filepath.Join(t.Local, name), path.Join(t.Remote, name))
		}, func() (names []string, err error) {
			entries, err := conns[0].ReadDir(t.Remote)
			for _, e := range entries {
				names = append(names, e.Name())
			}
			return names, err
		})
	}
	if err != nil {
		return out, err
	}
	return out, each(len(conns), func(i int) error { return conns[i].close() })
}

type bareSFTP struct {
	*sftp.Client
	ssh *ssh.Client
}

func (c *bareSFTP) close() error { return errors.Join(c.Client.Close(), c.ssh.Close()) }

func dialBareSFTP(e *endpoint) (*bareSFTP, error) {
	key, err := os.ReadFile(e.KeyFile)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		return nil, err
	}
	check, err := knownhosts.New(e.KnownHosts)
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{
		User: e.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: check, Timeout: time.Minute,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}, // of the keys in the file
	}
	config.Ciphers = []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305}
	conn, err := ssh.Dial("tcp", e.addr(), config)
	if err != nil {
		return nil, err
	}
	c, err := sftp.NewClient(conn, sftp.MaxPacketUnchecked(255<<10), sftp.UseConcurrentWrites(true),
		sftp.UseConcurrentReads(true), sftp.MaxConcurrentRequestsPerFile(requests))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &bareSFTP{Client: c, ssh: conn}, nil
}

func bareSFTPFile(c *bareSFTP, up bool, local, remote string) (err error) {
	if up {
		f, err := os.Open(local)
		if err != nil {
			return err
		}
		defer f.Close()
		r, err := c.OpenFile(remote, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		if err != nil {
			return err
		}
		// A file below one packet is one write, which concurrency would only slow down.
		if info, err := f.Stat(); err != nil || info.Size() > 255<<10 {
			_, err = r.ReadFromWithConcurrency(f, requests)
			return errors.Join(err, r.Close())
		}
		data, err := io.ReadAll(f)
		if err == nil {
			_, err = r.Write(data)
		}
		return errors.Join(err, r.Close())
	}
	r, err := c.Open(remote)
	if err != nil {
		return err
	}
	f, err := os.Create(local)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = r.WriteTo(f)
	return errors.Join(err, r.Close(), f.Close())
}
