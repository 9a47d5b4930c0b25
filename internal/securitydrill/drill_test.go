package securitydrill

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) {
	// The drills wait for attackers who say nothing, more than they compute.
	goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 8))
}

// A drill is one attack, and what the client must say to it.
type drill struct {
	name      string
	protocols []ftpx.Protocol
	plain     bool // plain FTP is listed and allowed besides
	hostCert  bool // the good SSH server shows a certificate
	// prepare changes what the client goes by, before it is opened.
	prepare func(*scene)
	// attack puts the attacker in place.
	attack func(*scene)
	// kinds are the errors that are right.
	kinds []transport.Kind
	// says is in the error's text.
	says string
	// tells: the server proves who it is, so that it may be told the password,
	// under encryption.
	tells bool
	// opens: logging in works, and it is transfers that are attacked.
	opens bool
	// only is when the attack makes sense: at the first contact, or later on a
	// client that has worked; "" for both.
	only string
	// quiet: the attacker says nothing, so that time has to run out.
	quiet bool
	// succeeds: the transfer finds its way in spite of the attack.
	succeeds bool
}

// waitLimit is what a client has with an attacker who says nothing. It is also
// the time that a slow machine has for a good login.
const waitLimit = 4 * time.Second

const (
	firstContact = "first contact"
	later        = "later"
)

// TestNothingIsSentInClear plays each drill against a client that is being
// opened, and against an upload and a download on one that worked before.
func TestNothingIsSentInClear(t *testing.T) {
	t.Parallel()
	for _, d := range slices.Concat(sshDrills, tlsDrills, downgradeDrills) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			play := func(name string, act func(context.Context, *scene, ftpx.Client) error) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					d.play(t, act)
				})
			}
			if d.only != later && !d.opens {
				play("open", nil)
			}
			if d.only != firstContact {
				play("upload", upload)
				play("download", download)
			}
		})
	}
}

// upload sends a file that is its marker all over.
func upload(ctx context.Context, s *scene, c ftpx.Client) error {
	local := filepath.Join(s.t.TempDir(), "secret")
	if err := os.WriteFile(local, s.payload(), 0o600); err != nil {
		return err
	}
	_, err := c.Upload(ctx, local, "up", nil)
	if _, serr := os.Stat(filepath.Join(s.root, "up")); err != nil && !errors.Is(serr, fs.ErrNotExist) {
		s.t.Error("the upload failed and the file is there")
	}
	return err
}

// download fetches one; what an attacker makes up must never be taken for it.
func download(ctx context.Context, s *scene, c ftpx.Client) error {
	local := filepath.Join(s.t.TempDir(), "down")
	_, err := c.Download(ctx, "there", local, nil)
	if _, serr := os.Stat(local); err != nil && !errors.Is(serr, fs.ErrNotExist) {
		s.t.Error("the download failed and the file is there")
	}
	return err
}

func (d drill) play(t *testing.T, act func(context.Context, *scene, ftpx.Client) error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	s := newScene(t, d.hostCert)
	s.opts.Protocols = d.protocols
	if d.plain {
		s.opts.Protocols, s.opts.AllowPlaintext = append(slices.Clone(d.protocols), ftpx.FTP), true
	}
	if d.quiet {
		s.opts.Timeouts.Connect, s.opts.Timeouts.Stall, s.opts.Timeouts.HeadStart = waitLimit, waitLimit, 50*time.Millisecond
		s.opts.Retry.MaxAttempts = 1
	}
	if d.prepare != nil {
		d.prepare(s)
	}
	var err error
	if act == nil {
		d.attack(s)
		var c ftpx.Client
		if c, err = s.open(ctx); err == nil {
			c.Close()
		}
	} else {
		c, oerr := s.open(ctx)
		if oerr != nil {
			t.Fatalf("before the attack: %v", oerr)
		}
		defer c.Close()
		if oerr := c.Ping(ctx); oerr != nil {
			t.Fatalf("before the attack: %v", oerr)
		}
		if s.tap.holds([]byte(s.password)) {
			t.Fatal("before the attack: nothing protected was found in time")
		}
		s.told.forget()
		d.attack(s)
		err = act(ctx, s, c)
	}
	d.judge(s, err)
}

func (d drill) judge(s *scene, err error) {
	t := s.t
	t.Helper()
	if s.ssh.seen()+s.ftp.seen()+s.implicit.seen() == 0 {
		t.Error("nobody came by the attacker, so that nothing is shown")
	}
	if s.tap.holds([]byte(s.password)) {
		t.Error("the password was sent in clear")
	}
	if s.tap.holds(s.marker) {
		t.Error("payload was sent in clear")
	}
	if !d.tells && s.told.holds(s.password) {
		t.Error("the password was given to a server that has not proven who it is")
	}
	conns, n := s.tap.totals()
	if d.succeeds {
		if err != nil {
			t.Errorf("failed: %v", err)
		}
		t.Logf("done in spite of it; %d connections, %d bytes from the client", conns, n)
		return
	}
	if err == nil {
		t.Fatal("no error")
	}
	s.shown(err)
	if !slices.Contains(d.kinds, ftpx.KindOf(err)) || !strings.Contains(err.Error(), d.says) {
		t.Errorf("kind %q, want one of %q, with %q in its text: %v", ftpx.KindOf(err), d.kinds, d.says, err)
	}
	t.Logf("%s; %d connections, %d bytes from the client: %v", ftpx.KindOf(err), conns, n, err)
}
