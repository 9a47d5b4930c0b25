package job

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// Load reads the jobs of a configuration file, and connects to nothing. Relative
// paths in it are relative to its folder. lockDir, if not "", wins over the file's. An
// error about its content is [Problems].
func Load(name, lockDir string) ([]*Job, error) {
	d, err := decode(name)
	if err != nil {
		return nil, err
	}
	if d.broken {
		return nil, d.problems() // what was not read cannot be judged
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	base := paths{dir}
	if lockDir == "" && d.file.LockDir != nil {
		lockDir = base.of(*d.file.LockDir)
	}
	if len(d.file.Jobs) == 0 {
		d.problem(0, "", "there is no job: begin one with [[job]]")
	}
	var jobs []*Job
	for i := range d.file.Jobs {
		jobs = append(jobs, d.job(i, base))
	}
	for i, j := range jobs {
		for _, other := range jobs[:i] {
			if other.Name == j.Name && j.Name != "" {
				d.problem(d.at(fmt.Sprintf("job.%d.name", i)), "job.name", fmt.Sprintf("another job is called %q too: each needs a name of its own", j.Name))
			}
		}
	}
	if len(d.bad) > 0 {
		return nil, d.problems()
	}
	for _, j := range jobs {
		if j.Lock, err = lockPath(lockDir, j.Name); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func lockPath(dir, name string) (string, error) {
	if dir == "" {
		var err error
		if dir, err = lockDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, name+".lock"), nil
}

// Select returns the jobs of these names, in the file's order; all for none.
func Select(jobs []*Job, names []string) ([]*Job, error) {
	if len(names) == 0 {
		return jobs, nil
	}
	var known []string
	for _, j := range jobs {
		known = append(known, j.Name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("%w: there is no job %q: the file has %s", cli.ErrUsage, n, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(jobs), func(j *Job) bool { return !slices.Contains(names, j.Name) }), nil
}

// paths makes those of a file absolute.
type paths struct{ dir string }

func (p paths) of(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if name == "" || filepath.IsAbs(name) || p.dir == "" {
		return name
	}
	return filepath.Join(p.dir, name)
}

func (p paths) all(names []string) []string {
	var full []string
	for _, n := range names {
		full = append(full, p.of(n))
	}
	return full
}

// inherit fills in what is not set in one struct from another of its type.
func inherit(to, from reflect.Value) {
	for i := range to.NumField() {
		mine, theirs := to.Field(i), from.Field(i)
		switch {
		case mine.Kind() == reflect.Struct:
			inherit(mine, theirs)
		case mine.IsNil():
			mine.Set(theirs)
		case isTable(mine.Type()) && !theirs.IsNil():
			inherit(mine.Elem(), theirs.Elem())
		}
	}
}

// isTable reports whether a setting's type is that of a table of others.
func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && !t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// job checks and builds the job of an index.
func (d *document) job(i int, base paths) *Job {
	f := &d.file.Jobs[i]
	bad := func(key, text string) {
		line, ok := 0, false
		for _, path := range []string{fmt.Sprintf("job.%d.%s", i, key), "defaults." + key} {
			if line, ok = d.lines[path]; ok {
				break
			}
		}
		if !ok {
			line = d.at(fmt.Sprintf("job.%d.%s", i, key))
		}
		if !d.about(key, text) {
			d.problem(line, "job."+key, text)
		}
	}
	set := f.settings
	inherit(reflect.ValueOf(&set).Elem(), reflect.ValueOf(d.file.Defaults))
	checkName(f.Name, bad)
	j := &Job{Name: f.Name, Source: f.Source, Up: !isURL(f.Source), Options: set.build(!isURL(f.Source), bad), Watch: set.watching(), set: set,
		Manifest: value(set.Manifest), Ledger: base.of(value(set.Ledger)), Report: base.of(value(set.Report))}
	set.connection.check(bad)
	switch {
	case f.Source == "":
		bad("source", "it is missing: name a local folder, or a URL to download from")
	case !j.Up:
		checkURL(f.Source, &set.connection, "source", bad)
	}
	if (f.Target == "") == (len(f.Targets) == 0) {
		bad("target", "give one target, or several as [[job.targets]], and not both")
	}
	if f.Target != "" {
		to := d.target(f, fileTarget{Target: f.Target, connection: set.connection}, base, func(_, text string) { bad("target", text) })
		to.standbys = set.standbys(to.URL, base, bad)
		j.Targets = append(j.Targets, to)
	}
	for n, t := range f.Targets {
		worse := func(key, text string) { bad(fmt.Sprintf("targets.%d.%s", n, key), text) }
		inherit(reflect.ValueOf(&t.connection).Elem(), reflect.ValueOf(set.connection))
		if t.Target == "" {
			worse("target", "it is missing")
		}
		t.connection.check(worse)
		to := d.target(f, t, base, worse)
		to.standbys = t.standbys(to.URL, base, worse)
		j.Targets = append(j.Targets, to)
	}
	if len(j.Targets) > 1 && (j.Options.After.Source != 0 || j.Options.DeadLetter != "") {
		key := map[bool]string{true: "dead_letter", false: "after.source"}[j.Options.After.Source == 0]
		bad(key, "with several targets the first would take files from under the others: make it a job for each, from folders of their own")
	}
	return j
}

// target builds a target, and complains about its place.
func (d *document) target(f *fileJob, t fileTarget, base paths, bad func(key, text string)) Target {
	to := t.connection.target(base)
	to.Name = t.Target
	up := !isURL(f.Source)
	switch {
	case up && t.Target != "" && !isURL(t.Target):
		bad("target", "the source is a local folder, so this must be a URL: write scheme://user@host[:port]/folder")
	case !up && isURL(t.Target):
		bad("target", "the source is a URL, so this must be a local folder: between two servers, make two jobs")
	case up && t.Target != "":
		checkURL(t.Target, &t.connection, "target", bad)
	}
	if to.URL, to.Local = f.Source, base.of(t.Target); up {
		to.URL, to.Local = t.Target, base.of(f.Source)
	}
	return to
}

// flags are what the connection would be on a command line.
func (c *connection) flags(base paths) cli.Flags {
	f := cli.Flags{
		Protocols: strings.Join(c.Protocols, ","), AllowPlaintext: value(c.AllowPlaintext),
		Ports:      ftpx.Ports{SFTP: value(c.SFTPPort), FTP: value(c.FTPPort), FTPS: value(c.FTPSPort), FTPSImplicit: value(c.FTPSImplicitPort)},
		Identities: base.all(c.Identity), KnownHosts: base.all(c.KnownHosts), HostKeys: c.HostKey,
		TOFU: base.of(value(c.TOFU)), Agent: value(c.Agent), CA: base.of(value(c.CA)),
		Parallel: 4, Stall: duration(c.Stall), PasswordFile: base.of(value(c.PasswordFile)), Verify: "auto", Standbys: c.Standby, Via: c.Via,
		Charset: value(c.Charset), ListZone: value(c.ListZone),
	}
	for _, n := range []*int{c.Parallel, c.Connections} {
		if n != nil {
			f.Parallel = *n
		}
	}
	f.Files = value(c.Files)
	if c.Verify != nil {
		f.Verify = c.Verify.v
	}
	if c.Rate != nil && c.Rate.v > 0 {
		f.Rate = fmt.Sprint(c.Rate.v)
	}
	if c.MaxListing != nil && c.MaxListing.v > 0 {
		f.MaxListing = fmt.Sprint(c.MaxListing.v)
	}
	return f
}

func (c *connection) policy() retry.Policy {
	r := value(c.Retry)
	return retry.Policy{MaxElapsed: duration(r.For), MaxAttempts: value(r.Attempts), InitialDelay: duration(r.FirstDelay), MaxDelay: duration(r.MaxDelay)}
}

// Fail prints why there are no jobs, and returns the exit code.
func Fail(name string, env cli.Env, err error) int {
	var p Problems
	if !errors.As(err, &p) {
		return cli.Fail(name, env, err)
	}
	for _, line := range p {
		fmt.Fprintf(env.Stderr, "%s: %s\n", name, line)
	}
	return cli.ExitUsage
}
