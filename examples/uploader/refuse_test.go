package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestBadUsage: each is told before anything is dialled, in a line that names the
// remedy.
func TestBadUsage(t *testing.T) {
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"a": "a", "x/same": "1", "y/same": "2"})
	file := filepath.Join(dir, "a")
	const url = "sftp://batch@127.0.0.1:1/in"
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing":                {nil, "give at least one SOURCE and the URL"},
		"no URL":                 {[]string{file}, "give at least one SOURCE and the URL"},
		"unknown flag":           {[]string{"-upload", file, url}, "-upload"},
		"misspelt flag":          {[]string{"-identiy", file, url}, "did you mean -identity?"},
		"duration":               {[]string{"-stall", "long", file, url}, "write a positive duration, as 30s"},
		"scp":                    {[]string{file, "u@host:/in"}, `"u@host:/in" has the form of scp: write sftp://u@host//in`},
		"scp, relative":          {[]string{file, "u@host:in"}, "write sftp://u@host/in"},
		"no scheme, password":    {[]string{file, "u:" + clitest.Password + "@host:/in"}, "unknown scheme in URL"},
		"flag without value":     {[]string{"-parallel"}, "-parallel"},
		"parallel 0":             {[]string{"-parallel", "0", file, url}, "use 1 or more"},
		"parallel x":             {[]string{"-parallel", "x", file, url}, "-parallel: write a whole number"},
		"protocols":              {[]string{"-protocols", "sftp,scp", file, url}, "scp"},
		"protocols empty":        {[]string{"-protocols", "sftp,", file, url}, "-protocols"},
		"protocol twice":         {[]string{"-protocols", "sftp,sftp", file, "ftpx://batch@127.0.0.1/"}, "twice"},
		"delivery":               {[]string{"-delivery", "fast", file, url}, "-delivery: \"fast\" is no way of delivery: atomic, direct or drop"},
		"partial name":           {[]string{"-partial-name", "tmp", file, url}, "{name} or {id}"},
		"partial and no partial": {[]string{"-partial-name", "{name}.x", "-delivery", "direct", file, url}, "has no partial"},
		"drop and read back":     {[]string{"-delivery", "drop", "-verify", "full", file, url}, "reads nothing back"},
		"verify":                 {[]string{"-verify", "all", file, url}, "use auto, size or full"},
		"retry-for":              {[]string{"-retry-for", "-1s", file, url}, "positive"},
		"rate":                   {[]string{"-rate", "fast", file, url}, "500k"},
		"rate 0":                 {[]string{"-rate", "0", file, url}, "500k"},
		"rate too much":          {[]string{"-rate", "9000000000000g", file, url}, "500k"},
		"max-listing":            {[]string{"-max-listing", "all", file, url}, "-max-listing \"all\": write bytes, as 500000"},
		"via":                    {[]string{"-via", "ftp://proxy", file, url}, "socks5, http, https or ssh"},
		"via without user":       {[]string{"-via", "ssh://gate", file, url}, "user name"},
		"via with password":      {[]string{"-via", "socks5://u:" + clitest.Password + "@proxy", file, url}, "$FTPX_VIA"},
		"standby":                {[]string{"-standby", "sftp://other", file, url}, "Standbys[0].Host"},
		"port":                   {[]string{"-sftp-port", "70000", file, "ftpx://batch@127.0.0.1/"}, "65535"},
		"key file":               {[]string{"-identity", "no-such-key", file, url}, "uploader: -identity no-such-key: "},
		"known hosts file":       {[]string{"-known-hosts", "no-such-file", file, url}, "uploader: -known-hosts no-such-file: "},
		"authorities file":       {[]string{"-ca", "no-such-file", file, url}, "uploader: -ca no-such-file: "},
		"authorities elsewhere":  {[]string{"-ca", file, file, "ftpes://batch@127.0.0.1:1/"}, "no certificate"},
		"password file":          {[]string{"-password-file", "no-such-file", file, url}, "uploader: -password-file no-such-file: "},
		"malformed URL":          {[]string{file, "sftp://batch@127.0.0.1:port/in"}, "malformed URL"},
		"malformed escape":       {[]string{file, "sftp://batch@127.0.0.1/%zz"}, "malformed URL"},
		"no scheme":              {[]string{file, "127.0.0.1/in"}, "no scheme"},
		"unknown scheme":         {[]string{file, "https://batch@127.0.0.1/in"}, "unknown scheme"},
		"no host":                {[]string{file, "sftp:///in"}, "no host"},
		"port of ftpx":           {[]string{file, "ftpx://batch@127.0.0.1:22/in"}, "-sftp-port"},
		"CR LF":                  {[]string{file, "sftp://batch@127.0.0.1/a\r\nDELE b"}, "CR, LF or NUL"},
		"NUL":                    {[]string{file, "sftp://batch@127.0.0.1/a%00b"}, "NUL"},
		"escaped CR LF":          {[]string{file, "sftp://batch@127.0.0.1:1/a%0d%0aDELE"}, "CR, LF or NUL"},
		"plain FTP":              {[]string{file, "ftp://batch@127.0.0.1:1/"}, "-allow-plaintext"},
		"password":               {[]string{file, "sftp://batch:" + clitest.Password + "@127.0.0.1/in"}, "FTPX_PASSWORD"},
		"password, malformed":    {[]string{file, "sftp://batch:%" + clitest.Password + "@127.0.0.1/in"}, "FTPX_PASSWORD"},
		"password with slash":    {[]string{file, "sftp://batch:" + clitest.Password + "/x@127.0.0.1/in"}, "malformed URL"},
		"password, flag last":    {[]string{file, "sftp://batch:" + clitest.Password + "@127.0.0.1/in", "-json"}, "FTPX_PASSWORD"},
		"password, order":        {[]string{"sftp://batch:" + clitest.Password + "@127.0.0.1/in", file}, "FTPX_PASSWORD"},
		"order":                  {[]string{url, file, url}, "looks like a URL"},
		"flag last":              {[]string{file, url, "-parallel", "0"}, "use 1 or more"},
		"no flag after --":       {[]string{file, "--", "-json", url}, "-json: no such file"},
		"URL first":              {[]string{url, file}, "the URL comes last"},
		"port too large":         {[]string{file, "sftp://batch@127.0.0.1:99999/in"}, "-password-file"},
		"missing source":         {[]string{file, filepath.Join(dir, "missing"), url}, "uploader: " + filepath.Join(dir, "missing") + ": "},
		"file with a slash":      {[]string{file + "/", url}, "not a directory"},
		"two of one name":        {[]string{filepath.Join(dir, "x", "same"), filepath.Join(dir, "y", "same"), url}, "would both be called same"},
		"demo with URL":          {[]string{"-demo", file, url}, "-demo takes no SOURCE"},
		"control character":      {[]string{"-\x1b[2J", file, url}, "flag provided but not defined"},
		"control character, too": {[]string{file + "\x1b[2J", url}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			s := uploader.Run(t.Context(), t, c.args...).Want(t, cli.ExitUsage, c.says)
			if s.Out != "" {
				t.Errorf("stdout: %s", s.Out)
			}
			if n := strings.Count(s.Err, "\n"); n != 1 {
				t.Errorf("%d lines on stderr, want one: %s", n, s.Err)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	s := uploader.Run(t.Context(), t, "-h").Want(t, cli.ExitDone)
	for _, word := range []string{"Examples:", "uploader -demo", "Exit codes:", "130", "-allow-plaintext", "-password-file", "FTPX_PASSWORD", "FTPX_PASSPHRASE"} {
		if !strings.Contains(s.Out, word) {
			t.Errorf("-h does not say %q", word)
		}
	}
	if s.Err != "" {
		t.Errorf("stderr: %s", s.Err)
	}
	if s := uploader.Run(t.Context(), t, "-version").Want(t, cli.ExitDone); !strings.HasPrefix(s.Out, "uploader ") {
		t.Errorf("-version says %q", s.Out)
	}
}

// TestRefused: what the servers bring up before the first file, and its exit code.
func TestRefused(t *testing.T) {
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a", "empty": ""})
	file := filepath.Join(src, "a")
	none := filepath.Join(src, "empty") // as a known_hosts file
	wrong := map[string]string{"FTPX_PASSWORD": "wrong"}

	t.Run("nothing listening", func(t *testing.T) {
		closed := clitest.ClosedPort(t)
		uploader.Run(t.Context(), t, "-retry-for", "50ms", "-known-hosts", none, file, "sftp://batch@127.0.0.1:"+closed+"/").
			Want(t, cli.ExitConnect, "127.0.0.1:"+closed, "refused")
	})

	w := clitest.Start(t)
	t.Run("unknown host key", func(t *testing.T) {
		before := w.FTP.Stats().Accepted
		s := uploader.Run(t.Context(), t, "-sftp-port", w.Flags()[1], "-ftp-port", w.Flags()[3], "-known-hosts", none, file, w.URL("")).
			Want(t, cli.ExitIdentity, "unknown", "ssh-keyscan")
		if !strings.Contains(s.Err, "SHA256:") {
			t.Errorf("the fingerprint is not shown: %s", s.Err)
		}
		if w.FTP.Stats().Accepted != before {
			t.Error("after an unknown host key FTPS was tried")
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		before := w.FTP.Stats().Accepted + w.FTPS.Stats().Accepted
		c := uploader
		c.Vars = wrong
		c.Run(t.Context(), t, w.Flags(file, w.URL(""))...).Want(t, cli.ExitLogin, "login refused")
		if w.FTP.Stats().Accepted+w.FTPS.Stats().Accepted != before {
			t.Error("after a wrong password on SFTP, FTPS was tried")
		}
		c.Run(t.Context(), t, w.Flags("-protocols", "ftps,ftp", "-allow-plaintext", file, w.URL(""))...).Want(t, cli.ExitLogin)
	})
	t.Run("unknown authority", func(t *testing.T) {
		other, err := pki.NewCA("another")
		if err != nil {
			t.Fatal(err)
		}
		pem := filepath.Join(t.TempDir(), "ca.pem")
		if err := other.WritePEM(pem); err != nil {
			t.Fatal(err)
		}
		uploader.Run(t.Context(), t, w.Flags("-ca", pem, "-protocols", "ftps,ftp", "-allow-plaintext", file, w.URL(""))...).
			Want(t, cli.ExitIdentity, "-ca")
	})
	t.Run("expired certificate", func(t *testing.T) {
		w := clitest.Start(t, func(o *testserver.TrioOptions) {
			o.CA, _ = pki.NewCA("authority")
			expired, err := o.CA.Expired("127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			o.FTP = func(f *testserver.FTPOptions) { f.TLSConfig = &tls.Config{Certificates: []tls.Certificate{expired}} }
		})
		for _, p := range []string{"ftps", "ftps-implicit"} {
			uploader.Run(t.Context(), t, w.Flags("-protocols", p+",ftp", "-allow-plaintext", file, w.URL(""))...).
				Want(t, cli.ExitIdentity, "expired", "new one")
		}
		clitest.Holds(t, w.Root, map[string]string{})
	})
	t.Run("only plain FTP", func(t *testing.T) {
		w := clitest.Start(t, func(o *testserver.TrioOptions) {
			o.FTP = func(f *testserver.FTPOptions) {
				if f.TLS == testserver.ExplicitTLS {
					f.TLS = testserver.NoTLS
				}
			}
		})
		closed := clitest.ClosedPort(t)
		flags := w.Flags("-sftp-port", closed, "-ftps-implicit-port", closed, "-protocols", "sftp,ftps,ftps-implicit,ftp", "-retry-for", "50ms")
		uploader.Run(t.Context(), t, append(flags, file, w.URL(""))...).
			Want(t, cli.ExitConnect, "sftp:", "ftps:", "ftps-implicit:", "-allow-plaintext")
		if n := w.FTP.Stats().Commands["PASS"]; n > 0 {
			t.Error("the password has been sent")
		}
		clitest.Holds(t, w.Root, map[string]string{})
		uploader.Run(t.Context(), t, append(flags, "-allow-plaintext", file, w.URL(""))...).Want(t, cli.ExitDone)
		clitest.Holds(t, w.Root, map[string]string{"a": "a"})
	})
	t.Run("interrupted at once", func(t *testing.T) {
		ctx := interrupted(t)
		uploader.Run(ctx, t, w.Flags(file, w.URL(""))...).Want(t, cli.ExitInterrupted)
	})
	clitest.Holds(t, w.Root, map[string]string{})
}

func TestTrustOnFirstUse(t *testing.T) {
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a", "hosts": ""})
	known, tofu, file := filepath.Join(src, "hosts"), filepath.Join(src, "new", "tofu"), filepath.Join(src, "a")
	first := clitest.Start(t)
	flags := func(port string) []string {
		return []string{"-sftp-port", port, "-known-hosts", known, "-tofu", tofu, file, first.URLOf("sftp", "")}
	}
	port := first.Flags()[1]
	for range 2 {
		uploader.Run(t.Context(), t, flags(port)...).Want(t, cli.ExitDone)
	}
	lines, err := os.ReadFile(tofu)
	if err != nil || strings.Count(string(lines), "\n") != 1 {
		t.Fatalf("%v, %q", err, lines)
	}
	// The server comes back with another key.
	addr := first.SFTP.Addr().String()
	first.SFTP.Close()
	second, err := testserver.StartSFTP(testserver.SFTPOptions{Root: first.Root, Addr: addr, User: clitest.User, Password: clitest.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	uploader.Run(t.Context(), t, flags(port)...).Want(t, cli.ExitIdentity, "CHANGED", tofu)
}
