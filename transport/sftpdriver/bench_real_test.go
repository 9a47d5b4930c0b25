//go:build linux && realserver

package sftpdriver

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// BenchmarkReal compares this driver with pkg/sftp as it comes and at its best
// settings, on sshd over loopback. internal/bench measures what matters to
// users; this is for work on the driver.
func BenchmarkReal(b *testing.B) {
	const size = 256 << 20
	srv := realtest.Start(b, realserver.Options{Kind: realserver.OpenSSH})
	c := dialReal(b, realEndpoint(srv))
	plain := bare(b, srv, nil, sftp.UseConcurrentWrites(false))
	tuned := bare(b, srv, []string{ssh.CipherAES128GCM}, sftp.UseConcurrentWrites(true), sftp.MaxPacketUnchecked(255<<10), sftp.MaxConcurrentRequestsPerFile(64))
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	source := func() io.Reader { return io.LimitReader(zeros{}, size) }
	up := func(c *sftp.Client) func() error {
		return func() error {
			f, err := c.Create("bench")
			if err != nil {
				return err
			}
			if _, err := f.ReadFrom(source()); err != nil {
				return err
			}
			return f.Close()
		}
	}
	down := func(c *sftp.Client) func() error {
		return func() error {
			f, err := c.Open("bench")
			if err != nil {
				return err
			}
			if _, err := f.WriteTo(io.Discard); err != nil {
				return err
			}
			return f.Close()
		}
	}
	run("up/driver", func() error { _, err := c.Store(context.Background(), "bench", 0, source(), nil); return err })
	run("up/default", up(plain))
	run("up/tuned", up(tuned))
	if err := up(tuned)(); err != nil { // something to fetch
		b.Fatal(err)
	}
	run("down/driver", func() error { _, err := c.Retrieve(context.Background(), "bench", 0, io.Discard, nil); return err })
	run("down/default", down(plain))
	run("down/tuned", down(tuned))
}

func bare(b *testing.B, srv *realserver.Server, ciphers []string, opts ...sftp.ClientOption) *sftp.Client {
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		b.Fatal(err)
	}
	sc, chans, reqs, err := ssh.NewClientConn(conn, srv.Addr(), &ssh.ClientConfig{
		Config: ssh.Config{Ciphers: ciphers}, User: srv.User, Auth: []ssh.AuthMethod{ssh.Password(srv.Password)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		b.Fatal(err)
	}
	client := ssh.NewClient(sc, chans, reqs)
	b.Cleanup(func() { client.Close() })
	c, err := sftp.NewClient(client, opts...)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
