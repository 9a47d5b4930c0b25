package sshconfig

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// jumps resolves ProxyJump. As with ssh -J, each hop is looked up in the files too;
// the first of a list may itself have hops before it, for the others the list is
// what leads to them.
func (r *resolver) jumps(s *Settings) error {
	value, l := "", r.values["proxyjump"]
	switch {
	case r.given.jumps != nil:
		value = *r.given.jumps
	case l != nil:
		if len(l.args) > 1 {
			return l.errorf("has more than one value: separate hops by commas, without blanks")
		}
		value = l.args[0]
	}
	if value == "" || strings.EqualFold(value, "none") {
		return nil
	}
	fail := func(err error) error {
		if l != nil {
			return l.errorf("%w", err)
		}
		return err
	}
	me := key(r.user(), r.hostName(), r.port())
	if slices.Contains(r.given.via, me) {
		return fail(fmt.Errorf("the way to %s leads through itself: write \"ProxyJump none\" for the last hop", me))
	}
	via := append(slices.Clone(r.given.via), me)
	if len(via) > maxJumps {
		return fail(fmt.Errorf("more than %d jumps", maxJumps))
	}
	hops := strings.Split(value, ",")
	for i, hop := range hops {
		g, err := parseHop(hop)
		if err != nil {
			return fail(err)
		}
		g.via = via
		if i > 0 {
			none := "none"
			g.jumps = &none // those before it lead there
		}
		one, err := r.c.resolve(g)
		if err != nil {
			return fail(err)
		}
		if k := key(one.User, one.HostName, one.Port); slices.Contains(via, k) {
			return fail(fmt.Errorf("the way to %s leads through itself", k))
		}
		s.Jumps = append(s.Jumps, one.Jumps...)
		one.Jumps = nil
		s.Jumps = append(s.Jumps, one)
	}
	if len(s.Jumps) > maxJumps {
		return fail(fmt.Errorf("more than %d jumps", maxJumps))
	}
	return nil
}

func key(user, host string, port int) string { return fmt.Sprintf("%s@%s:%d", user, host, port) }

// parseHop reads [user@]host[:port] or ssh://[user@]host[:port]; an IPv6 address
// with a port is in brackets.
func parseHop(s string) (given, error) {
	bad := fmt.Errorf("%q is no jump host: write user@host:port", s)
	var g given
	rest := s
	if strings.HasPrefix(s, "ssh://") {
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
			return g, bad
		}
		rest = u.Host
		g.user = u.User.Username()
	} else if i := strings.LastIndexByte(s, '@'); i >= 0 {
		if g.user, rest = s[:i], s[i+1:]; g.user == "" {
			return g, bad
		}
	}
	port := ""
	switch {
	case strings.HasPrefix(rest, "["):
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return g, bad
		}
		g.alias, port = rest[1:end], rest[end+1:]
		if port != "" && port[0] != ':' {
			return g, bad
		}
	case strings.Count(rest, ":") == 1:
		i := strings.IndexByte(rest, ':')
		g.alias, port = rest[:i], rest[i:]
	default:
		g.alias = rest
	}
	if port != "" {
		p, err := strconv.Atoi(port[1:])
		if err != nil || p < 1 || p > 65535 {
			return g, bad
		}
		g.port = p
	}
	if g.alias == "" {
		return g, bad
	}
	return g, nil
}
