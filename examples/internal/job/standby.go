package job

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// standbys builds the standbys of a target's server that have settings of their own, and
// complains about them.
func (c *connection) standbys(url string, base paths, bad func(key, text string)) []Target {
	var all []Target
	for i, s := range c.Standbys {
		worse := func(key, text string) { bad(fmt.Sprintf("standbys.%d.%s", i, key), text) }
		s.inherit(&c.login)
		one := connection{Protocols: c.Protocols, AllowPlaintext: c.AllowPlaintext, login: s.login}
		one.check(worse)
		checkStandby(value(s.URL), url, &one, worse)
		t := one.target(base)
		t.Name, t.URL = value(s.URL), value(s.URL)
		all = append(all, t)
	}
	return all
}

// inherit fills in what is not set. Whom to trust is one setting in three keys, and where the
// password is one in two: who sets one of them replaces all.
func (s *standby) inherit(job *login) {
	from := *job
	if s.KnownHosts != nil || s.HostKey != nil || s.TOFU != nil {
		from.KnownHosts, from.HostKey, from.TOFU = nil, nil, nil
	}
	if s.PasswordEnv != nil || s.PasswordFile != nil {
		from.PasswordEnv, from.PasswordFile = nil, nil
	}
	if s.PassphraseEnv != nil || s.PassphraseFile != nil {
		from.PassphraseEnv, from.PassphraseFile = nil, nil
	}
	inherit(reflect.ValueOf(&s.login).Elem(), reflect.ValueOf(from))
}

// checkStandby complains about the URL of a standby. of is that of the server that it stands
// by for.
func checkStandby(url, of string, c *connection, bad func(key, text string)) {
	if !isURL(url) {
		bad("url", "it is missing, or no URL: write scheme://user@host[:port]")
		return
	}
	wrong := false
	checkURL(url, c, "url", func(key, text string) { wrong = true; bad(key, text) })
	cfg, err := cli.ParseURL(url, nil)
	first, ferr := cli.ParseURL(of, nil)
	switch {
	case wrong || err != nil || ferr != nil: // which is told
	case cfg.Base != "":
		bad("url", "it names a folder, and a standby has those of the first host: remove what follows host and port")
	case !slices.Equal(cfg.Protocols, first.Protocols):
		bad("url", fmt.Sprintf("the scheme is for %s, and the first host's for %s: a standby speaks the same", names(cfg.Protocols), names(first.Protocols)))
	}
}

func names(protocols []ftpx.Protocol) string {
	if len(protocols) == 0 {
		return "a choice of protocols"
	}
	return protocols[0].String()
}

// target is a target that is reached in this way, but for its name and places.
func (c *connection) target(base paths) Target {
	return Target{flags: c.flags(base), retry: c.policy(),
		passwordEnv: value(c.PasswordEnv), passphraseEnv: value(c.PassphraseEnv), passphraseFile: base.of(value(c.PassphraseFile))}
}

// others are the standbys with what each logs in with.
func (t *Target) others(env cli.Env) ([]cli.Standby, error) {
	var all []cli.Standby
	for i := range t.standbys {
		with, flags, err := t.standbys[i].access(env)
		if err != nil {
			return nil, fmt.Errorf("standbys.%d: %w", i, err)
		}
		all = append(all, cli.Standby{URL: t.standbys[i].URL, Flags: flags, Env: with})
	}
	return all, nil
}
