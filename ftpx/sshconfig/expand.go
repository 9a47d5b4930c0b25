package sshconfig

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// tilde replaces ~ and ~user at the beginning of a path.
func tilde(path, home string) (string, error) {
	if !strings.HasPrefix(path, "~") {
		return path, nil
	}
	name, rest, _ := strings.Cut(path[1:], "/")
	if name == "" {
		if home == "" {
			return "", fmt.Errorf("%q: this user has no home folder", path)
		}
		return filepath.Join(home, rest), nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return "", fmt.Errorf("%q: %w", path, err)
	}
	return filepath.Join(u.HomeDir, rest), nil
}

// percent replaces the tokens that are known. An unknown one is an error, as in
// ssh: it would name a file that nobody meant.
func percent(s string, tokens map[byte]string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("%q ends with %%: write %%%%", s)
		}
		if s[i] == '%' {
			b.WriteByte('%')
			continue
		}
		v, ok := tokens[s[i]]
		if !ok {
			return "", fmt.Errorf("token %%%c in %q is not supported here", s[i], s)
		}
		b.WriteString(v)
	}
	return b.String(), nil
}

// dollar replaces ${VARIABLES} of the environment. One that is not set is an error,
// as in ssh.
func dollar(s string) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "${")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return "", fmt.Errorf("${%s is not closed", rest)
		}
		v, ok := os.LookupEnv(name)
		if !ok {
			return "", fmt.Errorf("environment variable %q is not set", name)
		}
		b.WriteString(v)
		s = after
	}
}

// tokens are those of ssh_config(5), TOKENS, as far as they are known before
// connecting; %C, which hashes some of them, names sockets of ControlPath.
func (r *resolver) tokens() map[byte]string {
	host := r.hostName()
	full, _ := os.Hostname()
	short, _, _ := strings.Cut(full, ".")
	alias := r.first("hostkeyalias")
	if alias == "" {
		alias = r.alias
	}
	uid := ""
	if u := os.Getuid(); u >= 0 {
		uid = strconv.Itoa(u)
	}
	return map[byte]string{
		'd': r.c.home, 'h': host, 'i': uid, 'k': alias, 'L': short, 'l': full, 'n': r.alias,
		'p': strconv.Itoa(r.port()), 'r': r.user(), 'u': r.c.local,
	}
}

// path expands a file name in a directive.
func (r *resolver) path(l *line, s string) (string, error) {
	p, err := tilde(s, r.c.home)
	if err == nil {
		p, err = percent(p, r.tokens())
	}
	if err == nil {
		p, err = dollar(p)
	}
	if err != nil {
		return "", l.errorf("%w", err)
	}
	return p, nil
}
