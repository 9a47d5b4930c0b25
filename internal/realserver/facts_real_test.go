//go:build linux && realserver

package realserver_test

import (
	"bytes"
	"errors"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// What the client's classification of replies leans on, asked of the servers
// themselves. A new server version that answers otherwise fails here first.

// replies is what one kind answers, code and a part of the text; empty is success.
type replies struct {
	kind         realserver.Kind
	badPassword  string
	noPermission string // STOR
	noFolder     string // STOR
	noFile       string // RETR
	listNoFolder string
	nlstNoFolder string
}

var replyTable = []replies{
	{
		kind:         realserver.VSFTPD,
		badPassword:  "530 Login incorrect.",
		noPermission: "553 Could not create file.",
		noFolder:     "553 Could not create file.",
		noFile:       "550 Failed to open file.",
	},
	{
		kind:         realserver.ProFTPD,
		badPassword:  "530 Login incorrect.",
		noPermission: "550 locked/f: Permission denied",
		noFolder:     "550 missing/f: No such file or directory",
		noFile:       "550 missing: No such file or directory",
		listNoFolder: "550 missing: No such file or directory",
		nlstNoFolder: "450 missing: No such file or directory", // 4xx, though it will not pass
	},
	{
		kind:         realserver.PureFTPd,
		badPassword:  "530 Login authentication failed",
		noPermission: "553 Can't open that file: Permission denied",
		noFolder:     "553 Can't open that file: No such file or directory",
		noFile:       "550 Can't open missing: No such file or directory",
		listNoFolder: "550 ",
		nlstNoFolder: "550 ",
	},
}

func TestReplies(t *testing.T) {
	for _, want := range replyTable {
		t.Run(string(want.kind), func(t *testing.T) {
			t.Parallel() // servers make a wrong password wait
			srv := realtest.Start(t, realserver.Options{Kind: want.kind})
			if err := os.Mkdir(filepath.Join(srv.Root, "locked"), 0o755); err != nil { // root's, not the login's
				t.Fatal(err)
			}
			_, err := ftpLoginAs(t.Context(), srv, ftpTLS{}, "wrong")
			checkReply(t, "bad password", err, want.badPassword)

			c, err := ftpLogin(t.Context(), srv, ftpTLS{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Quit()
			checkReply(t, "STOR without permission", c.Stor("locked/f", strings.NewReader("x")), want.noPermission)
			checkReply(t, "STOR to a missing folder", c.Stor("missing/f", strings.NewReader("x")), want.noFolder)
			_, err = c.Retr("missing")
			checkReply(t, "RETR of a missing file", err, want.noFile)
			_, err = c.List("missing")
			checkReply(t, "listing a missing folder", err, want.listNoFolder)
			_, err = c.NameList("missing")
			checkReply(t, "NLST of a missing folder", err, want.nlstNoFolder)
		})
	}
}

// checkReply compares an error with "code text"; empty wants none.
func checkReply(t *testing.T, what string, err error, want string) {
	t.Helper()
	code, text, _ := strings.Cut(want, " ")
	var reply *textproto.Error
	switch {
	case want == "" && err == nil:
	case want == "" || !errors.As(err, &reply):
		t.Errorf("%s: %v; want %q", what, err, want)
	case !strings.HasPrefix(reply.Error(), code+" ") || !strings.Contains(reply.Msg, text):
		t.Errorf("%s: %v; want %q", what, reply, want)
	}
}

// TestStoreRestart shows why an upload goes on at a fresh SIZE and nowhere else.
func TestStoreRestart(t *testing.T) {
	old := bytes.Repeat([]byte("o"), 1000)
	tail := bytes.Repeat([]byte("n"), 100)
	for _, want := range []struct {
		kind        realserver.Kind
		inside      int    // size after REST 400 and 100 bytes
		beyond      int    // size after REST 2000 and 100 bytes; 0 is a refusal
		beyondReply string // the refusal
	}{
		{realserver.VSFTPD, 1000, 2100, ""},
		{realserver.ProFTPD, 1000, 0, "554 "},
		{realserver.PureFTPd, 500, 1100, ""},
	} {
		t.Run(string(want.kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: want.kind})
			c, err := ftpLogin(t.Context(), srv, ftpTLS{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Quit()
			file := filepath.Join(srv.Root, "f")
			store := func(offset uint64) (int, error) {
				if err := c.Stor("f", bytes.NewReader(old)); err != nil {
					t.Fatal(err)
				}
				err := c.StorFrom("f", bytes.NewReader(tail), offset)
				data, readErr := os.ReadFile(file)
				if readErr != nil {
					t.Fatal(readErr)
				}
				return len(data), err
			}
			if n, err := store(1000); n != 1100 || err != nil {
				t.Errorf("REST at the size: %d bytes, %v; want 1100", n, err)
			}
			if n, err := store(400); n != want.inside || err != nil {
				t.Errorf("REST inside: %d bytes, %v; want %d", n, err, want.inside)
			}
			n, err := store(2000)
			if want.beyond == 0 {
				checkReply(t, "REST beyond the size", err, want.beyondReply)
			} else if n != want.beyond || err != nil {
				t.Errorf("REST beyond the size: %d bytes, %v; want %d", n, err, want.beyond)
			}
		})
	}
}

// TestFeatures compares FEAT with what the client expects to find.
func TestFeatures(t *testing.T) {
	for _, want := range []struct {
		kind      realserver.Kind
		has, lack []string
	}{
		{realserver.VSFTPD, []string{"EPSV", "MDTM", "REST STREAM", "SIZE"}, []string{"MLST", "MFMT", "HASH"}},
		{realserver.ProFTPD, []string{"MLST", "MFMT", "REST STREAM", "SIZE", "HASH ", "RANG STREAM"}, nil},
		{realserver.PureFTPd, []string{"MLST", "MFMT", "REST STREAM", "SIZE"}, []string{"HASH"}},
	} {
		t.Run(string(want.kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: want.kind, Digest: want.kind == realserver.ProFTPD})
			text := ftpCommand(t, rawFTP(t, srv), ftp.StatusSystem, "FEAT")
			for _, f := range want.has {
				if !strings.Contains(text, f) {
					t.Errorf("FEAT lacks %s:\n%s", f, text)
				}
			}
			for _, f := range want.lack {
				if strings.Contains(text, f) {
					t.Errorf("FEAT has %s:\n%s", f, text)
				}
			}
		})
	}
}
