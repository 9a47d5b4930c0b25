package main

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

// hostile is an SFTP server that lists what it likes, and has a file under every
// other name that it is asked for.
type hostile struct{ listed []entry }

type entry struct {
	name string
	mode fs.FileMode
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return int64(len(poison)) }
func (e entry) Mode() fs.FileMode  { return e.mode }
func (e entry) ModTime() time.Time { return clitest.When }
func (e entry) IsDir() bool        { return e.mode.IsDir() }
func (e entry) Sys() any           { return nil }

const poison = "what a hostile server would put there"

// Fileread is part of sftp.FileReader.
func (h hostile) Fileread(*sftp.Request) (io.ReaderAt, error) { return strings.NewReader(poison), nil }

// Filelist is part of sftp.FileLister.
func (h hostile) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch {
	case r.Method != "List" && (r.Filepath == "/" || r.Filepath == "/dirgood"):
		return lister{{r.Filepath, fs.ModeDir | 0o755}}, nil
	case r.Method != "List":
		return lister{{r.Filepath, 0o644}}, nil
	case r.Filepath == "/":
		return lister(h.listed), nil
	}
	return lister{{"../../below", 0o644}, {"fine", 0o644}}, nil
}

type lister []entry

// ListAt is part of sftp.ListerAt.
func (l lister) ListAt(out []os.FileInfo, offset int64) (int, error) {
	n := 0
	for ; n < len(out) && int(offset)+n < len(l); n++ {
		out[n] = l[int(offset)+n]
	}
	if n < len(out) {
		return n, io.EOF
	}
	return n, nil
}

// start serves and returns address and host key.
func (h hostile) start(t *testing.T) (string, *pki.SSHKey) {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(key.Signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var serving sync.WaitGroup
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { h.serve(c, config) })
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended; serving.Wait() })
	return l.Addr().String(), key
}

func (h hostile) serve(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests)
	for nc := range channels {
		ch, asked, err := nc.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		_ = sftp.NewRequestServer(ch, sftp.Handlers{FileGet: h, FileList: h, FilePut: h, FileCmd: h}).Serve()
		ch.Close()
	}
}

// Filewrite is part of sftp.FileWriter.
func (h hostile) Filewrite(*sftp.Request) (io.WriterAt, error) { return nil, errors.ErrUnsupported }

// Filecmd is part of sftp.FileCmder.
func (h hostile) Filecmd(*sftp.Request) error { return errors.ErrUnsupported }

// TestHostileServer: whatever a server calls its files, none lands outside of the
// folder, and those with harmless names are fetched.
func TestHostileServer(t *testing.T) {
	base := t.TempDir()
	addr, key := hostile{listed: []entry{
		{"..", fs.ModeDir | 0o755}, {"..", 0o644}, {"x/..", fs.ModeDir | 0o755}, {"x/..", 0o644}, {".", fs.ModeDir | 0o755}, {"", 0o644},
		{"../x", 0o644}, {"../dirx", fs.ModeDir | 0o755}, {"/abs", 0o644}, {filepath.Join(base, "abs"), 0o644}, {"a/../../y", 0o644}, {"dir/deep", 0o644},
		{"nul\x00byte", 0o644}, {"esc\x1b[2J", 0o644}, {"line\r\nbreak", 0o644},
		{"good", 0o644}, {"dirgood", fs.ModeDir | 0o755}, {"dirx", fs.ModeDir | 0o755}, {"zz", 0o644}, {"zz", 0o644}, {"zz.part", 0o644}, {"zz.part.state", 0o644}, {"...", 0o644}, {`back\slash`, 0o644},
	}}.start(t)
	known := filepath.Join(base, "known_hosts")
	if err := pki.WriteKnownHosts(known, pki.KnownHost(addr, key.Public())); err != nil {
		t.Fatal(err)
	}
	outer := filepath.Join(base, "outer")
	in := filepath.Join(outer, "in")
	for _, more := range []string{"-v", "-json"} {
		if err := os.RemoveAll(in); err != nil {
			t.Fatal(err)
		}
		s := downloader.Run(t.Context(), t, more, "-parallel", "8", "-known-hosts", known, "sftp://batch@"+addr+"/", in).
			Want(t, cli.ExitSome, "would lead elsewhere")
		tree := clitest.Tree(t, outer)
		for name, data := range tree {
			// Of a path in place of a name, its last element may have been taken.
			if !strings.HasPrefix(name, "in/") || data != poison {
				t.Errorf("%q is there with %q", name, data)
			}
		}
		want := []string{"good", "dirgood/fine", "zz", "zz.part", "zz.part.state", "...", `back\slash`}
		for _, name := range want {
			if tree["in/"+name] == "" {
				t.Errorf("%q has not been fetched", name)
			}
		}
		if strings.Contains(s.Err, "\r") {
			t.Error("a line break out of a name is shown")
		}
		if more == "-json" {
			if _, sum := s.Records(t); sum.Done < len(want) {
				t.Errorf("%+v", sum)
			}
		}
	}
	entries, err := os.ReadDir(base)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}
