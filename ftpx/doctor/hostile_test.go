package doctor_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

const secret = "hunter2-is-secret"

// scripted serves FTP by a script: answer gets each command line, "" first, and returns what
// is sent; ok false hangs up.
func scripted(t *testing.T, answer func(line string) (string, bool)) ftpx.Config {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			lines, line := bufio.NewReader(c), ""
			for {
				text, ok := answer(strings.TrimSpace(line))
				if _, err := fmt.Fprint(c, text); err != nil || !ok {
					break
				}
				if line, err = lines.ReadString('\n'); err != nil {
					break
				}
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{Password: secret, Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true,
		Ports: ftpx.Ports{FTP: l.Addr().(*net.TCPAddr).Port}}}
}

// TestHostile: what a server says is quoted and cut, moves no cursor, and never holds the
// password that it was sent; what makes no sense ends the run with a finding.
func TestHostile(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(line string) (string, bool)
		want   string
	}{
		"repeats the password": {func(line string) (string, bool) {
			switch {
			case line == "":
				return "220 hello\r\n", true
			case strings.HasPrefix(line, "USER"):
				return "331 go on\r\n", true
			}
			return "530 No, " + line + " is wrong \x1b[2J\r\n", true
		}, "login-refused"},
		"a greeting of 100 KiB": {func(string) (string, bool) { return "220 " + strings.Repeat("x", 100<<10) + "\r\n", true }, "not-offered"},
		"a reply without end":   {func(string) (string, bool) { return "220-" + strings.Repeat("and so on\r\n", 20000), true }, "not-offered"},
		"HTTP":                  {func(string) (string, bool) { return "HTTP/1.1 400 Bad Request\r\n\r\n", false }, "not-offered"},
		"nothing but a hang-up": {func(string) (string, bool) { return "", false }, "other"},
		"a wrong port in every answer": {func(line string) (string, bool) {
			return answers(line, "227 (127,0,0,1,999,1)", "229 (|||99999|)"), true
		}, "epsv-only"},
		"control characters": {func(string) (string, bool) {
			return "421 \x1b]0;title\x07 \u202e go away " + strings.Repeat("y", 400) + "\r\n", false
		}, "too-many"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := scripted(t, c.answer)
			r, err := doctor.Run(t.Context(), cfg, &doctor.Options{StepTimeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			text := show(t, r)
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, f := r.First(); f == nil || f.Code != c.want {
				t.Errorf("want %s first:\n%s", c.want, text)
			}
			if both := text + string(data); strings.Contains(both, secret) {
				t.Errorf("the password is shown: %s", both)
			}
			if strings.ContainsAny(text, "\x1b\x07\u202e") || len(text) > 8<<10 {
				t.Errorf("%d bytes: %q", len(text), text)
			}
		})
	}
}

func answers(line, pasv, epsv string) string {
	verb, _, _ := strings.Cut(line, " ")
	switch verb {
	case "":
		return "220 hello\r\n"
	case "USER":
		return "331 go on\r\n"
	case "PASS":
		return "230 in\r\n"
	case "PASV":
		return pasv + "\r\n"
	case "EPSV":
		return epsv + "\r\n"
	}
	return "200 well\r\n"
}

// TestInterrupted: a run that is interrupted while it writes removes what it wrote.
func TestInterrupted(t *testing.T) {
	s := ftpxtest.NewServer(t)
	dir := filepath.Join(s.Root, "scratch")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		watching := make(chan struct{})
		go func() {
			defer close(watching)
			for ctx.Err() == nil {
				// As soon as the first file is there.
				if found, _ := filepath.Glob(filepath.Join(dir, "*", "a")); len(found) > 0 {
					cancel(why)
				}
				time.Sleep(time.Millisecond)
			}
		}()
		r, err := doctor.Run(ctx, configOf(t, s, p), &doctor.Options{Scratch: "scratch", Idle: 30 * time.Millisecond})
		cancel(nil)
		<-watching
		if err != nil && !errors.Is(err, why) {
			t.Error(err)
		}
		if err != nil && (r.Incomplete == "" || strings.Contains(show(t, r), "all is well")) {
			t.Errorf("an interrupted run says %s", show(t, r))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%v: left %v, %v", p, left, err)
		}
	}
}

// TestBadInput: each is one line with the field and the remedy, and nothing is dialled.
func TestBadInput(t *testing.T) {
	s := ftpxtest.NewServer(t)
	good := configOf(t, s, ftpx.SFTP)
	with := func(change func(*ftpx.Config, *doctor.Options)) (ftpx.Config, *doctor.Options) {
		cfg, o := good, &doctor.Options{}
		change(&cfg, o)
		return cfg, o
	}
	before := s.Stats().Connections
	for want, change := range map[string]func(*ftpx.Config, *doctor.Options){
		"Config.Host is empty":          func(c *ftpx.Config, _ *doctor.Options) { c.Host = "" },
		"Options.Scratch holds CR":      func(_ *ftpx.Config, o *doctor.Options) { o.Scratch = "a\r\nDELE b" },
		"Options.Connections is -1":     func(_ *ftpx.Config, o *doctor.Options) { o.Connections = -1 },
		"Options.Connections is 100000": func(_ *ftpx.Config, o *doctor.Options) { o.Connections = 100000 },
		"Options.Idle is 3h":            func(_ *ftpx.Config, o *doctor.Options) { o.Idle = 3 * time.Hour },
		"SSH needs a user name":         func(c *ftpx.Config, _ *doctor.Options) { c.User = "" },
		"known hosts: open /does/not/exist": func(c *ftpx.Config, _ *doctor.Options) {
			c.SSH.HostKeyFingerprints, c.SSH.KnownHosts = nil, []string{"/does/not/exist"}
		},
	} {
		cfg, o := with(change)
		_, err := doctor.Run(t.Context(), cfg, o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", want, err)
		}
	}
	if after := s.Stats().Connections; after != before {
		t.Errorf("%d connections were made", after-before)
	}
	_, err := doctor.Run(t.Context(), good, &doctor.Options{Scratch: "no/such/folder"})
	var scratch *doctor.ScratchError
	if !errors.As(err, &scratch) || !strings.Contains(err.Error(), "Options.Scratch") || !strings.Contains(err.Error(), "name one that exists") {
		t.Errorf("a scratch folder that is not there: %v", err)
	}
	if _, err := doctor.Explain("mtu-hol"); err == nil || !strings.Contains(err.Error(), "did you mean mtu-hole?") {
		t.Error(err)
	}
}

// TestChecksAreTheCallers: what a caller does to the table stays with the caller.
func TestChecksAreTheCallers(t *testing.T) {
	c := doctor.Checks()
	seen := map[string]bool{}
	for i := range c {
		if seen[c[i].Code] || c[i].Title == "" || c[i].Symptom == "" || c[i].Remedy == "" || c[i].Layer == "" {
			t.Errorf("%+v", c[i])
		}
		seen[c[i].Code] = true
		c[i].Code = "mine"
		c[i].Directives[doctor.VSFTPD] = "mine"
	}
	if again := doctor.Checks(); again[0].Code == "mine" || again[0].Directives[doctor.VSFTPD] == "mine" {
		t.Error("the table has changed")
	}
	for _, code := range strings.Fields(`dns-none dns-slow v6-dead port-closed port-filtered tcp-loss mtu-hole idle-cut control-cut alg-strict win-firewall
		cert-expired cert-soon cert-name cert-chain tls-version tls-required tls-reuse tls-eof hostkey-new hostkey-changed ssh-algorithms no-pq ssh-startups
		ssh-penalty ssh-keys sftp-absent sftp-noise chroot login-refused login-policy slow-login too-many pasv-address pasv-port data-peer ftps-firewall
		epsv-only idle-short no-restart no-rename denied-verbs clock zone no-space object-store`) {
		if !seen[code] {
			t.Errorf("%s is missing", code)
		}
	}
}
