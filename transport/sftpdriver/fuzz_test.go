package sftpdriver

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// FuzzAnswers reads bytes of a hostile server as each kind of answer.
func FuzzAnswers(f *testing.F) {
	f.Add(fileAttrs(7))
	f.Add(append(putString(putString(binary.BigEndian.AppendUint32(nil, 1), "a/b"), "drwx"), fileAttrs(7)...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{b: data}
		a := r.attrs()
		if e := a.entry("n", "l"); e.Size < -1 {
			t.Error(e)
		}
		_ = (&reader{b: data}).status()
		answer := func(typ byte) *reply {
			b := bytes.Clone(data)
			p := newPipe(nil, func(error) {})
			rp := &reply{p: p, done: make(chan answer, 1)}
			rp.done <- answer{typ: typ, buf: &b}
			return rp
		}
		k := &step{run: &run{c: &Conn{}, op: wire.StartOp(t.Context(), wire.Watch{})}, req: &transport.Retrieve{}}
		defer k.op.End(nil)
		_, _, _ = k.names(answer(fxpName), func(e transport.Entry) bool {
			if e.Name == "." || e.Name == ".." {
				t.Error(e.Name)
			}
			return true
		})
		d := &download{s: k, q: &transport.Retrieve{}, dst: io.Discard, size: -1}
		if n, err := d.take(part{length: 10, reply: answer(fxpData)}); err == nil && (n < 0 || n > 10) {
			t.Error(n)
		}
	})
}

// FuzzPipe gives the pipe a stream of anything: what it hands to pkg/sftp and
// what it takes out add up, and it ends.
func FuzzPipe(f *testing.F) {
	f.Add([]byte{0, 0, 0, 5, 101, 0, 0, 0, 1}, uint32(1))
	f.Add([]byte{0, 0, 0, 5, 101, 0x80, 0, 0, 1, 0, 0, 0, 0}, uint32(0x80000001))
	f.Fuzz(func(t *testing.T, data []byte, id uint32) {
		p := newPipe(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(data), io.Discard}, func(error) {})
		r := &reply{p: p, done: make(chan answer, 1)}
		p.calls[id] = r
		out, _ := io.ReadAll(p)
		total := len(out)
		select {
		case a := <-r.done:
			if a.err == nil {
				total += len(*a.buf) + 9
				p.buffers.put(a.buf)
			}
		default:
		}
		if total > len(data) {
			t.Errorf("%d bytes of %d", total, len(data))
		}
		if _, _, err := p.send(fxpStat, nil).wait(); err == nil {
			t.Error("no error after the end")
		}
	})
}

// FuzzGreeting: whatever a peer says first, greet returns.
func FuzzGreeting(f *testing.F) {
	for _, s := range []string{"SSH-2.0-x\r\n", "220 hi\r\n", "\x16\x03\x01", "a\nb\nSSH-1.99-y\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, b := net.Pipe()
		go func() { _, _ = b.Write(data); b.Close() }()
		l := &line{Wire: wire.New(a, 0)}
		defer a.Close()
		if err := l.greet(); err == nil && !bytes.Contains(data, []byte("SSH-")) {
			t.Errorf("%q was taken for SSH", data)
		}
	})
}

// FuzzKnownHosts compares with x/crypto's parser: what that one accepts as the
// host's key, this one does too, and nothing else but what ssh(1) allows more.
func FuzzKnownHosts(f *testing.F) {
	key := must(pki.NewSSHKey())
	f.Add("example.com "+string(key.AuthorizedKey()), "example.com")
	f.Add("*.com,!bad.com "+string(key.AuthorizedKey()), "bad.com")
	f.Add("@revoked * "+string(key.AuthorizedKey()), "h")
	f.Add(pki.KnownHostHashed("h:22", key.Public()), "h")
	f.Fuzz(func(t *testing.T, text, host string) {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, err := readKnownHosts(file)
		if err != nil {
			return
		}
		for _, l := range lines {
			_ = l.matches(host)
		}
		theirs, err := knownhosts.New(file)
		if err != nil || host == "" || net.ParseIP(host) == nil && !plainName(host) {
			return
		}
		v := &hostVerifier{host: host, port: "22"}
		v.known, v.bare = lookUp(lines, host, "22")
		for _, l := range lines {
			if l.marker != "" {
				return // x/crypto takes a CA's key for a host's
			}
		}
		for _, k := range []ssh.PublicKey{key.Public()} {
			if theirs(host+":22", &net.TCPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 22}, k) == nil && v.check(k) != nil {
				t.Errorf("x/crypto accepts what we refuse: %q", text)
			}
		}
	})
}

func plainName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-') {
			return false
		}
	}
	return true
}
