package sshconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Settings are what the files say of one host.
type Settings struct {
	// Alias is the name by which the host was asked for.
	Alias string
	// HostName is the name or address to connect to.
	HostName string
	// User is the login name; the local user's where the files have none.
	User string
	// Port is the port.
	Port int
	// SSH holds keys, known hosts and algorithms. Passphrase and Keyring are not
	// set, nor is anything secret.
	SSH transport.SSH
	// Jumps are the hosts to go through, the nearest first.
	Jumps []Settings
	// AddressFamily is "any", "inet" (IPv4) or "inet6".
	AddressFamily string
	// ConnectTimeout is 0 where the files have none.
	ConnectTimeout time.Duration
	// ServerAliveInterval is after how much silence ssh would ask the server
	// whether it is there, 0 for never.
	ServerAliveInterval time.Duration
	// ServerAliveCountMax is how often it would ask before it gives up.
	ServerAliveCountMax int
	// Missing are identity files that the files name and that are not there; ssh
	// passes over them too.
	Missing []string
	// Ignored are directives that apply and have no meaning here, as
	// "file:line Directive".
	Ignored []string

	defaultKeys bool // the identity files are those that ssh tries by itself
}

// defaultIdentities are those of OpenSSH that x/crypto can sign with, in its order.
var defaultIdentities = []string{"id_rsa", "id_ecdsa", "id_ed25519"}

func (r *resolver) settings() (Settings, error) {
	s := Settings{Alias: r.alias, HostName: r.hostName(), User: r.user(), Port: r.port(), AddressFamily: "any", ServerAliveCountMax: 3}
	for _, name := range []string{"proxycommand", "proxyusefdpass", "knownhostscommand", "revokedhostkeys", "pkcs11provider", "smartcarddevice", "canonicalizehostname",
		"bindaddress", "bindinterface", "refuseconnection"} {
		k := keywords[name]
		if l := r.values[name]; l != nil && !k.changesNothing(l) {
			return s, l.errorf("is not supported: %s", k.remedy)
		}
	}
	for _, step := range []func(*Settings) error{r.numbers, r.identities, r.knownHosts, r.algorithms, r.methods, r.jumps} {
		if err := step(&s); err != nil {
			return s, err
		}
	}
	s.SSH.HostKeyAlias = r.first("hostkeyalias")
	s.Ignored = slices.Compact(r.ignored)
	return s, nil
}

// numbers checks the values that are numbers, times and words of a few.
func (r *resolver) numbers(s *Settings) error {
	if l := r.values["port"]; l != nil {
		if p, err := strconv.Atoi(l.args[0]); err != nil || p < 1 || p > 65535 {
			return l.errorf("%q is not between 1 and 65535", l.args[0])
		}
	}
	if l := r.values["addressfamily"]; l != nil {
		s.AddressFamily = strings.ToLower(l.args[0])
		if !slices.Contains([]string{"any", "inet", "inet6"}, s.AddressFamily) {
			return l.errorf("%q is none of any, inet and inet6", l.args[0])
		}
	}
	if l := r.values["serveralivecountmax"]; l != nil {
		n, err := strconv.Atoi(l.args[0])
		if err != nil || n < 0 {
			return l.errorf("%q is no number", l.args[0])
		}
		s.ServerAliveCountMax = n
	}
	if l := r.values["requiredrsasize"]; l != nil {
		n, err := strconv.Atoi(l.args[0])
		if err != nil || n < 0 {
			return l.errorf("%q is no number of bits", l.args[0])
		}
		s.SSH.MinRSABits = n
	}
	for name, out := range map[string]*time.Duration{"connecttimeout": &s.ConnectTimeout, "serveraliveinterval": &s.ServerAliveInterval} {
		l := r.values[name]
		if l == nil || strings.EqualFold(l.args[0], "none") {
			continue
		}
		d, err := duration(l.args[0])
		if err != nil {
			return l.errorf("%w", err)
		}
		*out = d
	}
	return nil
}

// duration reads sshd_config(5), TIME FORMATS: 90, 10m, 1h30m, 2d, 1w.
func duration(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	bad := fmt.Errorf("%q is no time: write seconds, or for instance 1m30s", s)
	var total time.Duration
	for rest := strings.ToLower(s); rest != ""; {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		n, err := strconv.ParseInt(rest[:i], 10, 32)
		if err != nil {
			return 0, bad
		}
		unit := time.Second
		if rest = rest[i:]; rest != "" {
			ok := false
			if unit, ok = units[rest[0]]; !ok {
				return 0, bad
			}
			rest = rest[1:]
		}
		if n > int64((maxTime-total)/unit) {
			return 0, fmt.Errorf("%q is too long a time", s)
		}
		total += time.Duration(n) * unit
	}
	return total, nil
}

// maxTime is the longest that OpenSSH takes, in its 32 bits of seconds.
const maxTime = (1<<31 - 1) * time.Second

// flag reads a yes or no.
func (r *resolver) flag(name string, byDefault bool) (bool, error) {
	l := r.values[name]
	if l == nil {
		return byDefault, nil
	}
	switch strings.ToLower(l.args[0]) {
	case "yes", "true":
		return true, nil
	case "no", "false":
		return false, nil
	}
	return false, l.errorf("%q is neither yes nor no", l.args[0])
}

// identities finds keys, certificates and the agent.
func (r *resolver) identities(s *Settings) (err error) {
	if s.SSH.IdentitiesOnly, err = r.flag("identitiesonly", false); err != nil {
		return err
	}
	for _, l := range r.lists["identityfile"] {
		if strings.EqualFold(l.args[0], "none") {
			continue
		}
		path, err := r.path(l, l.args[0])
		if err != nil {
			return err
		}
		if !exists(path) {
			// The public half, for a key that is in the agent.
			if path += ".pub"; !exists(path) {
				s.Missing = append(s.Missing, strings.TrimSuffix(path, ".pub"))
				continue
			}
		}
		s.SSH.IdentityFiles = append(s.SSH.IdentityFiles, path)
	}
	if len(r.lists["identityfile"]) == 0 {
		s.defaultKeys = true
		for _, name := range defaultIdentities {
			if path := filepath.Join(r.c.home, ".ssh", name); exists(path) {
				s.SSH.IdentityFiles = append(s.SSH.IdentityFiles, path)
			}
		}
	}
	if s.SSH.IdentityFiles == nil {
		s.SSH.IdentityFiles = []string{}
	}
	for _, l := range r.lists["certificatefile"] {
		if strings.EqualFold(l.args[0], "none") {
			continue
		}
		path, err := r.path(l, l.args[0])
		if err != nil {
			return err
		}
		if !exists(path) {
			s.Missing = append(s.Missing, path)
			continue
		}
		s.SSH.CertificateFiles = append(s.SSH.CertificateFiles, path)
	}
	s.SSH.Agent = "auto"
	if l := r.values["identityagent"]; l != nil {
		switch v := l.args[0]; {
		case strings.EqualFold(v, "none"):
			s.SSH.Agent = ""
		case v == "SSH_AUTH_SOCK":
		case strings.HasPrefix(v, "$") && !strings.HasPrefix(v, "${"):
			if s.SSH.Agent = os.Getenv(v[1:]); s.SSH.Agent == "" {
				return l.errorf("environment variable %q is not set", v[1:])
			}
		default:
			if s.SSH.Agent, err = r.path(l, v); err != nil {
				return err
			}
		}
	}
	if s.SSH.Agent == "" || s.SSH.Agent == "auto" && os.Getenv("SSH_AUTH_SOCK") == "" {
		// A public half is of no use without an agent.
		s.SSH.IdentityFiles = slices.DeleteFunc(s.SSH.IdentityFiles, func(f string) bool { return strings.HasSuffix(f, ".pub") })
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// methods finds which ways to log in are allowed.
func (r *resolver) methods(s *Settings) error {
	order := []string{"publickey", "password", "keyboard-interactive"}
	changed := false
	if l := r.values["preferredauthentications"]; l != nil {
		wanted := strings.Split(strings.ToLower(l.args[0]), ",")
		// Others are of no use here; ssh too goes on to the next.
		wanted = slices.DeleteFunc(wanted, func(m string) bool { return !slices.Contains(order, m) })
		if len(wanted) == 0 {
			return l.errorf("%q names none of publickey, password and keyboard-interactive, which is all that is supported", l.args[0])
		}
		order, changed = wanted, true
	}
	for name, method := range map[string]string{"passwordauthentication": "password", "kbdinteractiveauthentication": "keyboard-interactive"} {
		ok, err := r.flag(name, true)
		if err != nil {
			return err
		}
		if !ok {
			changed = true
			order = slices.DeleteFunc(order, func(m string) bool { return m == method })
		}
	}
	if l := r.values["pubkeyauthentication"]; l != nil {
		switch strings.ToLower(l.args[0]) {
		case "yes", "true", "unbound", "host-bound":
		case "no", "false":
			changed = true
			order = slices.DeleteFunc(order, func(m string) bool { return m == "publickey" })
		default:
			return l.errorf("%q is none of yes, no, unbound and host-bound", l.args[0])
		}
	}
	if changed {
		s.SSH.AuthMethods = order
	}
	return nil
}
