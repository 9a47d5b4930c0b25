//go:build linux && realserver

package sftpdriver

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func realEndpoint(srv *realserver.Server) *transport.Endpoint {
	return &transport.Endpoint{
		Protocol: transport.SFTP, Host: srv.Host, Port: srv.Port, User: srv.User, Password: transport.Secret(srv.Password),
		SSH: transport.SSH{KnownHosts: []string{srv.KnownHosts}},
	}
}

func dialReal(t testing.TB, ep *transport.Endpoint) *client {
	t.Helper()
	c, err := dialClient(context.Background(), ep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestRealOpenSSH walks through every method against sshd.
func TestRealOpenSSH(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	ep := realEndpoint(srv)
	ep.Trace = &transport.Trace{
		Command: func(_ context.Context, c transport.TraceCommand) { t.Log(">", c.Seq, c.Line) },
		Reply:   func(_ context.Context, r transport.TraceReply) { t.Log("<", r.Seq, r.Code, r.Text) },
	}
	c := dialReal(t, ep)
	ctx := t.Context()
	t.Logf("%+v %+v", c.Info(), c.Info().Security)
	if c.Info().Security.PostQuantum {
		t.Log("post-quantum key exchange")
	}
	data := randomBytes(3<<20 + 17)
	if n, err := c.Store(ctx, "a.bin", 0, bytes.NewReader(data), nil); err != nil || n != int64(len(data)) {
		t.Fatal(n, err)
	}
	if c.writeSize() != largestPacket || c.readSize() != largestPacket {
		t.Errorf("packets of %d and %d bytes, OpenSSH takes %d", c.readSize(), c.writeSize(), largestPacket)
	}
	more := randomBytes(100_000)
	if n, err := c.Store(ctx, "a.bin", int64(len(data)), bytes.NewReader(more), nil); err != nil || n != int64(len(more)) {
		t.Fatal(n, err)
	}
	data = append(data, more...)
	if got, _ := os.ReadFile(filepath.Join(srv.Root, "a.bin")); !bytes.Equal(got, data) {
		t.Fatal("content differs on the server's disk")
	}
	e, err := c.Stat(ctx, "a.bin")
	if err != nil || e.Size != int64(len(data)) || e.Type != transport.TypeFile || e.Name != "a.bin" {
		t.Fatal(e, err)
	}
	for _, offset := range []int64{0, 1, 1 << 20, int64(len(data)) - 1, int64(len(data))} {
		var out bytes.Buffer
		if n, err := c.Retrieve(ctx, "a.bin", offset, &out, nil); err != nil || n != int64(len(data))-offset || !bytes.Equal(out.Bytes(), data[offset:]) {
			t.Fatal(offset, n, err)
		}
	}
	var out bytes.Buffer
	if n, err := c.Retrieve(ctx, "a.bin", 5, &out, &transport.IO{Limit: 300_000}); err != nil || n != 300_000 || !bytes.Equal(out.Bytes(), data[5:300_005]) {
		t.Fatal(n, err)
	}
	if _, err := c.Retrieve(ctx, "a.bin", int64(len(data))+1, &out, nil); transport.KindOf(err) != transport.KindRestart {
		t.Fatal(err)
	}
	when := time.Unix(1_500_000_000, 0)
	if err := c.Chtimes(ctx, "a.bin", when); err != nil {
		t.Fatal(err)
	}
	if e, _ := c.Stat(ctx, "a.bin"); !e.ModTime.Equal(when) || !e.TimeExact {
		t.Fatal(e)
	}
	if err := c.Truncate(ctx, "a.bin", 10); err != nil {
		t.Fatal(err)
	}
	if err := c.Mkdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	err = c.Mkdir(ctx, "dir")
	t.Log(err)
	if transport.KindOf(err) != transport.KindTemporary {
		t.Error("mkdir of an existing folder:", err)
	}
	if err := c.Remove(ctx, "dir"); err == nil {
		t.Error("Remove deleted a folder")
	} else {
		t.Log(err)
	}
	if _, err := c.Store(ctx, "b.bin", 0, bytes.NewReader(nil), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Rename(ctx, "a.bin", "b.bin", false); transport.KindOf(err) != transport.KindTemporary {
		t.Error("trap 15: plain rename onto a file:", err)
	}
	if err := c.Rename(ctx, "a.bin", "b.bin", true); err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := c.List(ctx, ".", func(e transport.Entry) bool { names = append(names, e.Name); return true }); err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	for name, err := range map[string]error{
		"list":     c.List(ctx, "none", func(transport.Entry) bool { return true }),
		"remove":   c.Remove(ctx, "none"),
		"retrieve": func() error { _, err := c.Retrieve(ctx, "none", 0, &out, nil); return err }(),
		"store":    func() error { _, err := c.Store(ctx, "none/x", 0, &out, nil); return err }(),
		"append":   func() error { _, err := c.Store(ctx, "none", 7, &out, nil); return err }(),
		"rename":   c.Rename(ctx, "none", "other", true),
	} {
		if transport.KindOf(err) != transport.KindNotExist {
			t.Error(name, err)
		}
	}
	if err := c.Rmdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(ctx, "b.bin"); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if !c.Usable() {
		t.Fatal("not usable after ordinary failures")
	}
}
