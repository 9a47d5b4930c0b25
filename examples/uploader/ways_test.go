package main

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestStandby: the host of the URL is away, the standby takes the files.
func TestStandby(t *testing.T) {
	src := t.TempDir()
	files := map[string]string{"a": "a", "d/b": "b"}
	clitest.Write(t, src, files)
	w := clitest.Start(t)
	url := strings.Replace(w.URL(""), "127.0.0.1", "127.0.0.9", 1) // where nobody listens
	uploader.Run(t.Context(), t, w.Flags("-retry-for", "1s", src+"/", url)...).Want(t, cli.ExitConnect)
	s := uploader.Run(t.Context(), t, w.Flags("-v", "-standby", "127.0.0.1", src+"/", url)...).Want(t, cli.ExitDone, "turning to 127.0.0.1")
	clitest.Holds(t, w.Root, files)
	if strings.Contains(s.Err, clitest.Password) {
		t.Error("the password is in", s.Err)
	}
}

// TestVia: everything goes through a proxy, data connections included; its
// password comes from the environment.
func TestVia(t *testing.T) {
	src := t.TempDir()
	files := map[string]string{"a": "a", "d/b": clitest.Content(1 << 20)}
	clitest.Write(t, src, files)
	proxy := &testserver.SOCKSProxy{User: "me", Password: "pr0xy"}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(func() { stop(); l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				proxy.Serve(ctx, c)
			}()
		}
	}()
	for _, scheme := range []string{"sftp", "ftpes"} {
		t.Run(scheme, func(t *testing.T) {
			w := clitest.Start(t)
			t.Setenv("FTPX_VIA", "socks5://me:wrong-pr0xy@"+l.Addr().String())
			s := uploader.Run(t.Context(), t, w.Flags(src+"/", w.URLOf(scheme, ""))...).Want(t, cli.ExitLogin)
			if strings.Contains(s.Err, "wrong-pr0xy") {
				t.Error("a password is in", s.Err)
			}
			before := len(proxy.Asked())
			t.Setenv("FTPX_VIA", "socks5://me:pr0xy@"+l.Addr().String())
			uploader.Run(t.Context(), t, w.Flags("-rate", "8M", src+"/", w.URLOf(scheme, ""))...).Want(t, cli.ExitDone)
			clitest.Holds(t, w.Root, files)
			if n := len(proxy.Asked()) - before; n < 1 || scheme == "ftpes" && n < 3 {
				t.Errorf("the proxy was asked for %d connections", n)
			}
		})
	}
}
