package faultproxy_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

func (l *line) dialSFTP(t *testing.T) (*sftp.Client, error) {
	t.Helper()
	conn, err := ssh.Dial("tcp", l.sftp.Addr().String(), &ssh.ClientConfig{
		User: l.trio.User, Auth: []ssh.AuthMethod{ssh.Password(l.trio.Password)},
		HostKeyCallback: ssh.FixedHostKey(l.trio.SFTP.HostKey()), Timeout: waitLimit,
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	client, err := sftp.NewClient(conn)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = client.Close() })
	return client, nil
}

// A client that only tries again gets a file through a line that resets most
// connections; the offset at which it goes on is the server's.
func TestSFTPThroughResets(t *testing.T) {
	l := newLine(t)
	l.sftp.SetPlan(faultproxy.ResetRate(0.8, 5_000, 300_000))
	data := pattern(500_000)
	attempt := func() error {
		client, err := l.dialSFTP(t)
		if err != nil {
			return err
		}
		defer client.Close()
		f, err := client.OpenFile("/a", os.O_WRONLY|os.O_CREATE)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err != nil {
			return err
		}
		_, err = f.WriteAt(data[info.Size():], info.Size())
		return errors.Join(err, f.Close())
	}
	tries := 1
	for attempt() != nil && tries < 50 {
		tries++
	}
	l.wantFile(t, "a", data)
	s := l.proxy.Stats(faultproxy.SSH)
	if s.Resets == 0 || int(s.Conns) != tries {
		t.Errorf("%d tries, stats = %+v: the line was too good", tries, s)
	}
}

func TestSFTPReplyLost(t *testing.T) {
	l := newLine(t)
	client, err := l.dialSFTP(t)
	if err != nil {
		t.Fatal(err)
	}
	shot := l.proxy.Arm(faultproxy.Target{Dir: faultproxy.Up},
		faultproxy.Fault{Kind: faultproxy.LoseReply, Then: faultproxy.Reset})
	if err := client.Mkdir("/made"); err == nil || !shot.Fired() {
		t.Errorf("mkdir = %v, fired %v", err, shot.Fired())
	}
	if _, err := os.Stat(filepath.Join(l.root, "made")); err != nil {
		t.Errorf("the server did not act: %v", err)
	}
}
