package job

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Fleet is what a worker of a fleet is configured to do.
type Fleet struct {
	// Name and Spool are "" where they were not set, the others 0.
	Name, Spool        string
	Connections, Tries int
	Grace              time.Duration
	// Partners and Roots are in the order of the file.
	Partners []Partner
	Roots    []Root
}

// Partner is a target of a fleet.
type Partner struct {
	// Name is what jobs call it, Connections how many it allows.
	Name        string
	Connections int

	t Target
}

// Root is a folder that jobs may use, with its path made absolute.
type Root struct{ Name, Path string }

// fleetName is what package fleet takes for a name, which says more when it is refused.
var fleetName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,47}$`)

// LoadFleet reads the targets and roots of a configuration file, and connects to nothing.
// Relative paths in it are relative to its folder. An error about its content is [Problems].
func LoadFleet(name string) (*Fleet, error) {
	d, err := decode(name)
	if err != nil {
		return nil, err
	}
	if d.broken {
		return nil, d.problems()
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	base := paths{dir}
	set := value(d.file.Fleet)
	f := &Fleet{Name: value(set.Name), Spool: base.of(value(set.Spool)), Connections: value(set.Connections), Tries: value(set.Tries), Grace: duration(set.Grace)}
	for key, n := range map[string]*int{"connections": set.Connections, "tries": set.Tries} {
		if n != nil && *n < 1 {
			d.problem(d.at("fleet."+key), "fleet."+key, fmt.Sprintf("it is %d: use 1 or more", *n))
		}
	}
	if len(d.file.Partners) == 0 {
		d.problem(0, "", "there is no target: begin one with [[target]]")
	}
	for i := range d.file.Partners {
		f.Partners = append(f.Partners, d.partner(i, base))
	}
	for i, r := range d.file.Roots {
		bad := func(key, text string) { d.problem(d.at(fmt.Sprintf("root.%d.%s", i, key)), "root."+key, text) }
		if !fleetName.MatchString(r.Name) {
			bad("name", "write 1 to 48 of a-z, 0-9, - and _")
		}
		if r.Path == "" {
			bad("path", "it is missing: name a folder")
		}
		f.Roots = append(f.Roots, Root{r.Name, base.of(r.Path)})
		for _, other := range f.Roots[:i] {
			if other.Name == r.Name {
				bad("name", fmt.Sprintf("another root is called %q too: each needs a name of its own", r.Name))
			}
		}
	}
	if len(d.bad) > 0 {
		return nil, d.problems()
	}
	return f, nil
}

// partner checks and builds the target of an index.
func (d *document) partner(i int, base paths) Partner {
	p := d.file.Partners[i]
	bad := func(key, text string) {
		if !d.about(key, text) {
			d.problem(d.at(fmt.Sprintf("target.%d.%s", i, key)), "target."+key, text)
		}
	}
	if p.Parallel != nil {
		bad("parallel", "a fleet's target has connections instead: write how many it allows, over all workers")
	}
	c := p.connection
	inherit(reflect.ValueOf(&c).Elem(), reflect.ValueOf(d.file.Defaults.connection))
	c.check(bad)
	if !fleetName.MatchString(p.Name) {
		bad("name", "write 1 to 48 of a-z, 0-9, - and _")
	}
	for _, other := range d.file.Partners[:i] {
		if other.Name == p.Name {
			bad("name", fmt.Sprintf("another target is called %q too: each needs a name of its own", p.Name))
		}
	}
	switch n := value(p.Connections); {
	case p.Connections == nil:
		bad("connections", "it is missing: write how many the partner allows, over all workers")
	case n < 1 || n > 256:
		bad("connections", fmt.Sprintf("it is %d: use 1 to 256", n))
	}
	switch {
	case p.URL == "":
		bad("url", "it is missing: write scheme://user@host[:port]/folder")
	case !isURL(p.URL):
		bad("url", "it is not a valid URL: use scheme://user@host[:port]/folder")
	default:
		checkURL(p.URL, &c, "url", bad)
	}
	t := c.target(base)
	t.Name, t.URL, t.standbys = p.Name, p.URL, c.standbys(p.URL, base, bad)
	return Partner{Name: p.Name, Connections: value(p.Connections), t: t}
}

// Open opens a client for the target, with secrets as they are now. tune changes the options
// before they are used.
func (p *Partner) Open(ctx context.Context, env cli.Env, tune func(*ftpx.Options)) (ftpx.Client, error) {
	t := p.t // its flags keep what the server is reached through
	env.Prompt = nil
	at, err := cli.ParseURL(t.URL, nil)
	if err != nil {
		return nil, err
	}
	cfg, end, err := t.Reach(ctx, env)
	if err != nil {
		return nil, err
	}
	cfg.Base = at.Base
	tune(&cfg.Options)
	c, err := ftpx.New(ctx, cfg)
	if err != nil {
		end()
		return nil, err
	}
	return &reached{c, end}, nil
}

// reached is a client with what its server is reached through.
type reached struct {
	ftpx.Client
	end func()
}

// Close is part of ftpx.Client.
func (r *reached) Close() error {
	defer r.end()
	return r.Client.Close()
}

// Doubtful and Recheck are part of ftpx.Rechecker.
func (r *reached) Doubtful(remote string) bool { return r.Client.(ftpx.Rechecker).Doubtful(remote) }

// Recheck: see Doubtful.
func (r *reached) Recheck(ctx context.Context, remote string) error {
	return r.Client.(ftpx.Rechecker).Recheck(ctx, remote)
}
