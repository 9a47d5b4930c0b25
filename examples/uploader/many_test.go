package main

import (
	"fmt"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestMany: a folder of more entries than are read at once, over no more
// connections than files may be under way.
func TestMany(t *testing.T) {
	src := t.TempDir()
	files := map[string]string{}
	for i := range 2*1024 + 7 {
		files[fmt.Sprintf("d/%d", i)] = "content"
	}
	clitest.Write(t, src, files)
	for _, parallel := range []int{1, 3} {
		w := clitest.Start(t)
		uploader.Run(t.Context(), t, w.Flags("-quiet", "-parallel", fmt.Sprint(parallel), src+"/", w.URLOf("sftp", ""))...).Want(t, cli.ExitDone)
		clitest.Holds(t, w.Root, files)
		if n := w.SFTP.Stats().Logins; n > int64(parallel) {
			t.Errorf("%d logins with -parallel %d", n, parallel)
		}
	}
}

// TestNoClientJSON: with -json there is a summary even if there was no connection,
// and the flags that have to do with it are named.
func TestNoClientJSON(t *testing.T) {
	w := clitest.Start(t)
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a"})
	wrong := uploader
	wrong.Vars = map[string]string{"FTPX_PASSWORD": "wrong"}
	for name, c := range map[string]struct {
		command clitest.Command
		flags   []string
		code    int
		kind    transport.Kind
		flag    string
	}{
		"login":    {wrong, nil, cli.ExitLogin, transport.KindAuth, "-password-file"},
		"host key": {uploader, []string{"-host-key", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, cli.ExitIdentity, transport.KindHostKey, "-known-hosts"},
		"nobody":   {uploader, []string{"-retry-for", "10ms", "-sftp-port", clitest.ClosedPort(t)}, cli.ExitConnect, transport.KindUnreachable, "-sftp-port"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(w.Flags(c.flags...), "-json", src+"/a", w.URLOf("sftp", ""))
			records, sum := c.command.Run(t.Context(), t, args...).Want(t, c.code, c.flag).Records(t)
			if len(records) != 0 || sum.Kind != c.kind.String() || sum.Error == "" {
				t.Errorf("%+v", sum)
			}
		})
	}
}
