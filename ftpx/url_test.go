package ftpx

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, tt := range []struct {
		url, host, user, base string
		protocols             []Protocol
		ports                 Ports
	}{
		{"ftpx://u@h/base/x", "h", "u", "base/x", nil, Ports{}},
		{"ftpx://u@h", "h", "u", "", nil, Ports{}},
		{"sftp://u@h:2222//abs", "h", "u", "/abs", []Protocol{SFTP}, Ports{SFTP: 2222}},
		{"ftps://h:991/", "h", "", "", []Protocol{FTPSImplicit}, Ports{FTPSImplicit: 991}},
		{"ftpes://u%40corp@h:2121/a%20b", "h", "u@corp", "a b", []Protocol{FTPS}, Ports{FTPS: 2121}},
		{"FTP://[::1]:21/x", "::1", "", "x", []Protocol{FTP}, Ports{FTP: 21}},
	} {
		cfg, err := ParseURL(tt.url, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if cfg.Host != tt.host || cfg.User != tt.user || cfg.Base != tt.base || cfg.Ports != tt.ports || len(cfg.Protocols) != len(tt.protocols) {
			t.Errorf("%s: got %+v", tt.url, cfg)
		}
		for i, p := range tt.protocols {
			if cfg.Protocols[i] != p {
				t.Errorf("%s: protocols %v, want %v", tt.url, cfg.Protocols, tt.protocols)
			}
		}
	}
}

// Each bad URL gets an error that names the remedy and never holds the
// password that the URL may have held.
func TestParseURLErrors(t *testing.T) {
	for url, want := range map[string]string{
		"sftp://u:s3cret@h:port/x":     "malformed",
		"://u:s3cret@h":                "malformed",
		"u:s3cret@h/x":                 "scheme",
		"http://u:s3cret@h/x":          "unknown scheme \"http\"",
		"sftp:///x":                    "host",
		"sftp://u:s3cret@h/x?y=1":      "%3F",
		"ftpx://u:s3cret@h:2222/":      "Ports",
		"sftp://u:s3cret@h:99999/":     "65535",
		"sftp://u:s3cret@h/\r\nDELE x": "CR, LF",
		"sftp://u:s3cret@h/%zz":        "malformed",
	} {
		_, err := ParseURL(url, nil)
		if err == nil {
			t.Errorf("%q: no error", url)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", url, err, want)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: the error shows the password: %v", url, err)
		}
	}
}

// showsPassword returns the piece of a password, of four characters or more, that
// an error for a URL with that password shows, if any. A piece is what lies
// between two special characters, for that is what becomes a host, a port ...
func showsPassword(url, password string) string {
	cfg, err := ParseURL(url, nil)
	text := ""
	if err != nil {
		text = err.Error()
	} else if cfg.Password.Reveal() != password {
		// It was read as something else: what comes of that must not be shown by
		// later errors, which name the host and the folder.
		text = cfg.Host + " " + cfg.Base + " " + cfg.User
	}
	pieces := append(strings.FieldsFunc(password, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}), password)
	for _, p := range pieces {
		if len(p) >= 4 && strings.Contains(text, p) {
			return p + " in " + text
		}
	}
	return ""
}

var urlForms = []string{"sftp://user:%s@host", "ftpes://user:%s@host:21/dir", "ftps://user:%s@h/a", "sftp://user:%s@host//abs", "%s://u@h",
	"sftp://:%s@host", "ftpx://user:%s@host:22/", "ftp://user:%s@[::1]/x", "sftp:user:%s@host", "sftp:/user:%s@host", "user:%s@host", "://user:%s@host"}

// Whatever a password holds, unescaped: no error shows a piece of it.
func TestParseURLNeverShowsThePassword(t *testing.T) {
	const letters = "QXZJKV0123456789"
	special := []string{"/", "?", "#", "@", ":", "%", "%zz", "%41", "[", "]", "\\", " ", "\t", "\x7f", "ü", "\"", "'", "<", ">", "^", "|", "{", "&", "//", ":9", ":99999/", "@@", ".", "-", "\xff"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			for range r.IntN(7) {
				b.WriteByte(letters[r.IntN(len(letters))])
			}
			b.WriteString(special[r.IntN(len(special))])
		}
		for range 4 {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		url := strings.Replace(urlForms[r.IntN(len(urlForms))], "%s", b.String(), 1)
		if shown := showsPassword(url, b.String()); shown != "" {
			t.Fatalf("%q shows %s", url, shown)
		}
	}
	for _, url := range []string{"sftp://user:hid/den@host", "sftp://user:hidd/den@host", "sftp://user:1234/den@host", "sftp://user:99999/x@host", "sftp://user:/hidden@host", "sftp://us/er:hidden@host"} {
		_, err := ParseURL(url, nil)
		if err == nil {
			t.Errorf("%s: no error", url)
			continue
		}
		for _, piece := range []string{"hid", "den", "1234", "99999"} {
			if strings.Contains(err.Error(), piece) {
				t.Errorf("%s: %v", url, err)
			}
		}
	}
}

func TestParseURLPassword(t *testing.T) {
	cfg, err := ParseURL("sftp://u:fromurl@h/", nil)
	if err != nil || cfg.Password.Reveal() != "fromurl" {
		t.Fatalf("%v %v", cfg.Password.Reveal(), err)
	}
	cfg, err = ParseURL("sftp://u:fromurl@h/", &Options{Password: "given"})
	if err != nil || cfg.Password.Reveal() != "given" {
		t.Fatalf("%v %v", cfg.Password.Reveal(), err)
	}
}

func TestConfigErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"no host":      {Config{}, "Host is empty"},
		"host as URL":  {Config{Host: "sftp://h"}, "without scheme"},
		"user with LF": {Config{Host: "h", User: "a\nb"}, "Config.User"},
		"password LF":  {Config{Host: "h", Options: Options{Password: "a\n"}}, "Config.Password"},
		"plain alone":  {Config{Host: "h", Options: Options{Protocols: []Protocol{FTP}}}, "AllowPlaintext"},
		"twice":        {Config{Host: "h", Options: Options{Protocols: []Protocol{SFTP, SFTP}}}, "twice"},
		"bad protocol": {Config{Host: "h", Options: Options{Protocols: []Protocol{9}}}, "Protocols"},
		"bad port":     {Config{Host: "h", Options: Options{Ports: Ports{SFTP: -1}}}, "Ports.SFTP"},
		"conns":        {Config{Host: "h", Options: Options{Limits: Limits{Conns: -1}}}, "Options.Limits.Conns is -1"},
		"verify":       {Config{Host: "h", Options: Options{Verify: 9}}, "Verify"},
	} {
		_, err := New(t.Context(), tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v does not say %q", name, err, tt.want)
		}
		if KindOf(err).String() != "invalid argument" {
			t.Errorf("%s: kind %v", name, KindOf(err))
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"ftpx://u@h/b", "sftp://[::1]:22//x", "ftp://%41@h", "://", "ftps://h:0/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !strings.ContainsAny(s, "\r\n\x00") {
			for _, form := range urlForms {
				pw := "Q7" + s + "X9"
				if _, err := ParseURL(strings.Replace(form, "%s", pw, 1), nil); err != nil && strings.Contains(err.Error(), pw) {
					t.Errorf("%q shows %q: %v", form, pw, err)
				}
			}
		}
		cfg, err := ParseURL(s, nil)
		if err != nil {
			return
		}
		if cfg.Host == "" {
			t.Errorf("%q has no host and no error", s)
		}
	})
}
