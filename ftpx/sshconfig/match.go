package sshconfig

import (
	"errors"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// matchList matches a list of patterns as OpenSSH does: one that begins with "!"
// and matches says no, whatever else matches.
func matchList(patterns []string, s string, fold bool) bool {
	if fold {
		s = strings.ToLower(s)
	}
	found := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		if fold {
			p = strings.ToLower(p)
		}
		if sftpdriver.MatchPattern(p, s) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

var errExec = errors.New("exec runs a command, which this library does not do: " +
	"move what it decides into Host blocks, or give this program a file of its own")

// matches judges the criteria of a Match line. As in ssh, all must hold, and one
// after a failed one does no harm.
func (r *resolver) matches(l *line) (bool, error) {
	result := true
	args := l.args
	for i := 0; i < len(args); i++ {
		name, value, attached := strings.Cut(args[i], "=")
		name, not := strings.CutPrefix(strings.ToLower(name), "!")
		var holds bool
		switch name {
		case "all":
			if len(args) > i+1 || i > 0 && !isPass(args[i-1]) {
				return false, l.errorf("all stands alone, or after canonical or final")
			}
			holds = true
		case "canonical", "final":
			if name == "final" {
				r.wantFinal = true
			}
			holds = r.final
		case "host", "originalhost", "user", "localuser", "exec", "tagged", "localnetwork", "address", "localaddress", "rdomain", "command", "sessiontype", "version":
			// One equals sign may stand between, with blanks or without.
			for value == "" || value == "=" {
				if i++; i == len(args) {
					return false, l.errorf("%s needs a pattern", name)
				}
				value = args[i]
				if !attached {
					value, attached = strings.CutPrefix(value, "=")
				}
			}
			switch name {
			case "host":
				holds = matchList(strings.Split(value, ","), r.hostName(), true)
			case "originalhost":
				holds = matchList(strings.Split(value, ","), r.alias, true)
			case "user":
				holds = matchList(strings.Split(value, ","), r.user(), false)
			case "localuser":
				holds = matchList(strings.Split(value, ","), r.c.local, false)
			case "exec":
				if !result {
					continue // ssh does not run it either
				}
				return false, l.errorf("%w", errExec)
			default:
				if !result {
					continue
				}
				return false, l.errorf("the criterion %s is not supported: use host, originalhost, user, localuser, final or all", name)
			}
		default:
			return false, l.errorf("unknown criterion %q: use host, originalhost, user, localuser, final or all", args[i])
		}
		if holds == not {
			result = false
		}
	}
	return result, nil
}

func isPass(arg string) bool {
	a := strings.ToLower(strings.TrimPrefix(arg, "!"))
	return a == "canonical" || a == "final"
}
