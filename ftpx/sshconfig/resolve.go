package sshconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxJumps bounds a chain of jump hosts.
const maxJumps = 16

// given is what comes from outside the files and wins over them.
type given struct {
	alias, user string
	port        int
	jumps       *string  // ProxyJump, for the hops of a list
	via         []string // the hosts that lead here, to find loops
}

// resolver looks one host up.
type resolver struct {
	c     *Config
	given given
	alias string
	host  string // what Host patterns see: the alias, then what it resolved to

	values           map[string]*line   // the first of each directive
	lists            map[string][]*line // all of those that add up
	fixed            bool               // host is final
	final, wantFinal bool
	ignored          []string
}

// Resolve returns the settings for a host as the user calls it, "alias" or
// "user@alias". It connects to nothing and asks no name server.
func (c *Config) Resolve(alias string) (Settings, error) {
	user := ""
	if i := strings.LastIndexByte(alias, '@'); i >= 0 {
		user, alias = alias[:i], alias[i+1:]
	}
	return c.ResolveAs(user, alias, 0)
}

// ResolveAs is Resolve with a user and a port that win over those of the files, as
// those of ssh -l and -p do; "" and 0 leave them to the files.
func (c *Config) ResolveAs(user, alias string, port int) (Settings, error) {
	s, err := c.resolve(given{alias: alias, user: user, port: port})
	if err != nil {
		return Settings{}, fmt.Errorf("sshconfig: %w", err)
	}
	return s, nil
}

func (c *Config) resolve(g given) (Settings, error) {
	if g.alias == "" || strings.HasPrefix(g.alias, "-") || strings.ContainsAny(g.alias, " \t\r\n\x00") {
		return Settings{}, fmt.Errorf("%q is no host name", g.alias)
	}
	r := &resolver{c: c, given: g, alias: g.alias, host: g.alias, values: map[string]*line{}, lists: map[string][]*line{}}
	s, err := r.resolve()
	if err != nil {
		return Settings{}, fmt.Errorf("host %q: %w", g.alias, err)
	}
	return s, nil
}

func (r *resolver) resolve() (Settings, error) {
	if err := r.pass(); err != nil {
		return Settings{}, err
	}
	if l := r.values["hostname"]; l != nil {
		if _, err := percent(l.args[0], map[byte]string{'h': r.alias}); err != nil {
			return Settings{}, l.errorf("%w", err)
		}
	}
	// As ssh: names are compared in lower case from here on, and a second pass
	// sees the host by its new name.
	r.host, r.fixed = strings.ToLower(r.hostName()), true
	if r.wantFinal {
		r.final = true
		if err := r.pass(); err != nil {
			return Settings{}, err
		}
	}
	return r.settings()
}

// pass goes through all files once.
func (r *resolver) pass() error {
	r.ignored = nil
	for _, f := range r.c.files {
		if _, err := r.file(f, true, false); err != nil {
			return err
		}
	}
	return nil
}

// file goes through one file. never means that it is included where nothing
// applies. It returns whether its last block applies.
func (r *resolver) file(f *file, active, never bool) (bool, error) {
	for i := range f.lines {
		l := &f.lines[i]
		switch l.keyword {
		case "host":
			active = !never && matchList(l.args, r.host, false)
		case "match":
			if never {
				continue
			}
			var err error
			if active, err = r.matches(l); err != nil {
				return false, err
			}
		case "include":
			for _, inc := range l.included {
				if _, err := r.file(inc, active, never || !active); err != nil {
					return false, err
				}
			}
		default:
			if active && (!f.given || r.counts(l)) {
				if err := r.record(l); err != nil {
					return false, err
				}
			}
		}
	}
	return active, nil
}

// counts reports whether a directive of [Config.With] is for this host. As with ssh, it is
// about the host that was asked for, not about those on the way there: ProxyJump would else
// lead through itself. The keys are offered to all.
func (r *resolver) counts(l *line) bool {
	return len(r.given.via) == 0 || slices.Contains([]string{"identityfile", "certificatefile", "ignoreunknown"}, l.keyword)
}

// record takes a directive that applies.
func (r *resolver) record(l *line) error {
	name := l.keyword
	if now, ok := older[name]; ok {
		name = now
	}
	k, known := keywords[name]
	switch {
	case !known:
		if u := r.values["ignoreunknown"]; u != nil && matchList(strings.Split(u.args[0], ","), name, true) {
			r.ignored = append(r.ignored, l.at+" "+l.keyword)
			return nil
		}
		return l.errorf("unknown directive: correct it, or name it in IgnoreUnknown before this line")
	case k.do == ignored:
		r.ignored = append(r.ignored, l.at+" "+k.name)
		return nil
	}
	switch name {
	case "identityfile", "certificatefile":
		if !slices.ContainsFunc(r.lists[name], func(o *line) bool { return o.args[0] == l.args[0] }) {
			r.lists[name] = append(r.lists[name], l)
		}
		return r.single(l)
	case "proxycommand", "proxyjump":
		// The one that comes first keeps the other out, and a hop of a list has
		// its own way already.
		if r.given.jumps == nil && r.values["proxycommand"] == nil && r.values["proxyjump"] == nil {
			r.values[name] = l
		}
		return nil
	case "userknownhostsfile", "globalknownhostsfile", "canonicaldomains":
	case "refuseconnection":
	default:
		if err := r.single(l); err != nil {
			return err
		}
	}
	if r.values[name] == nil {
		r.values[name] = l
	}
	return nil
}

// single refuses a second argument, as ssh does: it is a mistake that would be
// passed over.
func (r *resolver) single(l *line) error {
	if len(l.args) > 1 {
		return l.errorf("has more than one value: put a value with blanks in double quotes")
	}
	if l.args[0] == "" {
		return l.errorf("the value is empty")
	}
	return nil
}

func (r *resolver) first(name string) string {
	if l := r.values[name]; l != nil {
		return l.args[0]
	}
	return ""
}

// hostName is the name to connect to, as far as it is known.
func (r *resolver) hostName() string {
	if r.fixed {
		return r.host
	}
	if h := r.first("hostname"); h != "" {
		if out, err := percent(h, map[byte]string{'h': r.alias}); err == nil {
			return out
		}
	}
	return r.alias
}

func (r *resolver) user() string {
	for _, u := range []string{r.given.user, r.first("user")} {
		if u != "" {
			return u
		}
	}
	return r.c.local
}

func (r *resolver) port() int {
	if r.given.port != 0 {
		return r.given.port
	}
	if p, err := strconv.Atoi(r.first("port")); err == nil && p > 0 && p < 65536 {
		return p
	}
	return 22
}
