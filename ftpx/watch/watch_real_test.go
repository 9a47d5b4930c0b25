//go:build linux && realserver

package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealServers: on each server, files are consumed in both directions: whole ones
// only, moved away within the remote folder, marked, refused ones put aside. vsftpd lists
// no exact times.
func TestRealServers(t *testing.T) {
	for _, c := range []struct {
		name  string
		opt   realserver.Options
		proto ftpx.Protocol
	}{
		{"openssh", realserver.Options{Kind: realserver.OpenSSH}, ftpx.SFTP},
		{"vsftpd", realserver.Options{Kind: realserver.VSFTPD}, ftpx.FTP},
		{"proftpd tls", realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired}, ftpx.FTPS},
		{"pure-ftpd tls", realserver.Options{Kind: realserver.PureFTPd, TLS: realserver.TLSRequired}, ftpx.FTPS},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := realtest.Start(t, c.opt)
			o := ftpx.Options{Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{c.proto}, AllowPlaintext: true,
				Retry: retry.Policy{MaxAttempts: 3, InitialDelay: 10 * time.Millisecond}}
			if c.proto == ftpx.SFTP {
				o.Ports.SFTP = srv.Port
				o.SSH = transport.SSH{KnownHosts: []string{srv.KnownHosts}}
			} else {
				o.Ports.FTP = srv.Port
				o.TLS = transport.TLS{CAFile: srv.CAFile}
			}
			client, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Options: o})
			must(t, err)
			t.Cleanup(func() { client.Close() })
			t.Run("download", func(t *testing.T) { consumeRemote(t, client, srv.Root) })
			t.Run("upload", func(t *testing.T) { feedRemote(t, client, srv.Root) })
		})
	}
}

// give hands what is in a folder of the server to the server's user.
func give(t *testing.T, root, dir string) {
	t.Helper()
	info, err := os.Stat(root)
	must(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	must(t, filepath.Walk(dir, func(p string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(p, int(owner.Uid), int(owner.Gid))
	}))
}

func consumeRemote(t *testing.T, client ftpx.Client, root string) {
	src, local := filepath.Join(root, "in"), t.TempDir()
	want := map[string]string{}
	for i := range 10 {
		name, text := fmt.Sprintf("d%d/f %d.csv", i%2, i), content(i*1000)
		put(t, filepath.Join(src, filepath.FromSlash(name)), text)
		want[name], want[name+".done"] = text, ""
	}
	put(t, filepath.Join(src, "inway"), "x")
	put(t, filepath.Join(local, "inway", "y"), "y")
	put(t, filepath.Join(src, "grows"), "")
	give(t, root, src)
	o := quick(300 * time.Millisecond)
	o.Attempts = 1
	o.Folder.After = folder.After{Source: folder.SourceMove, Archive: "old/{date:2006}", MarkTarget: ".done"}
	o.Folder.DeadLetter = "dead"
	r := begin(t, false, client, local, o)
	grow(t, filepath.Join(src, "grows"), filepath.Join(local, "grows"), func() { r.copied(10) })
	r.copied(11)
	r.until("the dead letter", func(items []folder.Item) bool {
		for _, i := range items {
			if i.Path == "inway" && i.After != "" {
				return true
			}
		}
		return false
	})
	if report := r.stop(); r.err != nil || report.Copied != 11 || report.Taken != 11 || report.Dead != 1 {
		t.Errorf("%v %+v", r.err, report)
	}
	want["grows"], want["grows.done"], want["inway/y"] = content(1<<20), "", "y"
	holds(t, local, want)
	year := time.Now().Format("old/2006/")
	left := map[string]string{"dead/inway": "x", year + "grows": content(1 << 20)}
	for i := range 10 {
		left[fmt.Sprintf("%sd%d/f %d.csv", year, i%2, i)] = content(i * 1000)
	}
	note, err := os.ReadFile(filepath.Join(src, "dead/inway.error.json"))
	must(t, err)
	left["dead/inway.error.json"] = string(note)
	holds(t, src, left)
}

// grow writes a file slowly, and sees to it that nothing of it is taken meanwhile.
func grow(t *testing.T, name, copied string, meanwhile func()) {
	t.Helper()
	text := content(1 << 20)
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		meanwhile()
	}()
	for n := 0; ; n++ {
		select {
		case <-done: // the last of it
			_, err := f.WriteString(text[n:])
			must(t, err)
			return
		case <-tick.C:
			_, err := f.WriteString(text[n : n+1])
			must(t, err)
			if _, err := os.Stat(copied); err == nil {
				t.Fatal("it was taken")
			}
		}
	}
}

func feedRemote(t *testing.T, client ftpx.Client, root string) {
	local, dst := t.TempDir(), filepath.Join(root, "out")
	must(t, client.MkdirAll(t.Context(), "out/inway"))
	want := map[string]string{}
	for i := range 10 {
		name, text := fmt.Sprintf("d%d/f %d", i%2, i), content(i*1000)
		put(t, filepath.Join(local, filepath.FromSlash(name)), text)
		want[name+".csv"], want[name+".csv.done"] = text, ""
	}
	put(t, filepath.Join(local, "inway"), "x")
	put(t, filepath.Join(local, "grows"), "")
	o := quick(300 * time.Millisecond)
	o.Attempts = 1
	o.Folder.Name, o.Folder.FirstName = "{name}.csv", "{name}.in-work"
	o.Folder.After = folder.After{Source: folder.SourceDelete, MarkTarget: ".done"}
	must(t, client.MkdirAll(t.Context(), "out/inway.csv"))
	o.Folder.DeadLetter = "dead"
	r := beginAt(t, true, client, local, "out", o)
	grow(t, filepath.Join(local, "grows"), filepath.Join(dst, "grows.csv"), func() { r.copied(10) })
	r.copied(11)
	if report := r.stop(); r.err != nil || report.Copied != 11 || report.Taken != 11 || report.Dead != 1 {
		t.Errorf("%v %+v", r.err, report)
	}
	want["grows.csv"], want["grows.csv.done"] = content(1<<20), ""
	holds(t, dst, want)
	note, err := os.ReadFile(filepath.Join(local, "dead/inway.error.json"))
	must(t, err)
	holds(t, local, map[string]string{"dead/inway": "x", "dead/inway.error.json": string(note)})
}
