package sshconfig

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// knownHosts finds the files with host keys and what to do about a host that is in
// none of them.
func (r *resolver) knownHosts(s *Settings) error {
	user := []string{filepath.Join(r.c.home, ".ssh", "known_hosts"), filepath.Join(r.c.home, ".ssh", "known_hosts2")}
	global := []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	if runtime.GOOS == "windows" {
		global = []string{filepath.Join(os.Getenv("ProgramData"), "ssh", "ssh_known_hosts")}
	}
	var err error
	if l := r.values["userknownhostsfile"]; l != nil {
		if user, err = r.knownFiles(l); err != nil {
			return err
		}
	}
	if l := r.values["globalknownhostsfile"]; l != nil {
		if global, err = r.knownFiles(l); err != nil {
			return err
		}
	}
	s.SSH.KnownHosts = []string{}
	for _, path := range append(user[:len(user):len(user)], global...) {
		if exists(path) { // ssh too passes over others
			s.SSH.KnownHosts = append(s.SSH.KnownHosts, path)
		}
	}
	l := r.values["stricthostkeychecking"]
	if l == nil {
		return nil
	}
	switch strings.ToLower(l.args[0]) {
	case "yes", "true", "ask":
		// There is nobody to ask: a host that is not known is refused.
		return nil
	case "accept-new":
	case "no", "false", "off":
		if !r.c.AllowUnchecked {
			return l.errorf("%s lets anyone on the way read the password and every file: write accept-new, or set Config.AllowUnchecked, which means the same here", l.args[0])
		}
	default:
		return l.errorf("%q is none of yes, ask, accept-new and no", l.args[0])
	}
	if len(user) == 0 || user[0] == "/dev/null" || user[0] == os.DevNull {
		return l.errorf("%s with no UserKnownHostsFile forgets each host at once, so that a changed key is never noticed: name a file there", l.args[0])
	}
	s.SSH.TrustOnFirstUse = user[0]
	return nil
}

// knownFiles expands a list of files; "none" is an empty one.
func (r *resolver) knownFiles(l *line) ([]string, error) {
	if strings.EqualFold(l.args[0], "none") {
		if len(l.args) > 1 {
			return nil, l.errorf("none stands alone")
		}
		return nil, nil
	}
	var out []string
	for _, a := range l.args {
		path, err := r.path(l, a)
		if err != nil {
			return nil, err
		}
		if path == "" {
			return nil, l.errorf("a file name is empty")
		}
		out = append(out, path)
	}
	return out, nil
}
