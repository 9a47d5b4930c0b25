package job

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Show prints what jobs are configured to do, and warns of what is missing on this
// machine: files and variables that the jobs will want. It connects to nothing. What is
// missing is no error, for a configuration may be checked elsewhere than where it runs.
func Show(env cli.Env, jobs []*Job) {
	for _, j := range jobs {
		direction := map[bool]string{true: "upload", false: "download"}[j.Up]
		fmt.Fprintf(env.Stdout, "%s: %s %s\n", j.Name, direction, transport.Printable(j.Source))
		for _, t := range j.Targets {
			fmt.Fprintf(env.Stdout, "  to %s\n", transport.Printable(t.Name))
		}
		show(env.Stdout, "", reflect.ValueOf(j.set))
		fmt.Fprintf(env.Stdout, "  lock = %q\n", j.Lock)
		told := map[string]bool{}
		for i := range j.Targets {
			j.warn(env, &j.Targets[i], told)
			for n := range j.Targets[i].standbys {
				j.warn(env, &j.Targets[i].standbys[n], told)
			}
		}
	}
}

// show prints what was set, by its key.
func show(w io.Writer, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		f, key := v.Field(i), prefix+v.Type().Field(i).Tag.Get("toml")
		switch {
		case f.Kind() == reflect.Struct:
			show(w, prefix, f)
			continue
		case f.IsNil():
			continue
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for n := range f.Len() {
				show(w, fmt.Sprintf("%s.%d.", key, n), f.Index(n))
			}
			continue
		case f.Kind() == reflect.Slice:
			var quoted []string
			for n := range f.Len() {
				quoted = append(quoted, fmt.Sprintf("%q", f.Index(n).String()))
			}
			fmt.Fprintf(w, "  %s = [%s]\n", key, strings.Join(quoted, ", "))
			continue
		case isTable(f.Type()):
			show(w, key+".", f.Elem())
			continue
		}
		fmt.Fprintf(w, "  %s = %s\n", key, written(f.Elem()))
	}
}

// written is a value as a file would have it.
func written(v reflect.Value) string {
	switch v := v.Interface().(type) {
	case size:
		return fmt.Sprint(v.v)
	case age:
		return fmt.Sprintf("%q", v.v.String())
	case share:
		return fmt.Sprint(v.v)
	case comparing:
		return fmt.Sprintf("%q", compareWords[v.v])
	case linking:
		return fmt.Sprintf("%q", linkWords[v.v])
	case fate:
		return fmt.Sprintf("%q", fateWords[v.v])
	case delivery:
		return fmt.Sprintf("%q", v.v)
	case verifying:
		return fmt.Sprintf("%q", v.v)
	case string:
		return fmt.Sprintf("%q", v)
	default:
		return fmt.Sprint(v)
	}
}

func (j *Job) warn(env cli.Env, t *Target, told map[string]bool) {
	say := func(key, what string) {
		if told[key+what] {
			return // of another target
		}
		told[key+what] = true
		fmt.Fprintf(env.Stderr, "%s: note: %s: %s on this machine\n", j.Name, key, transport.Printable(what))
	}
	files := map[string][]string{"identity": t.flags.Identities, "known_hosts": t.flags.KnownHosts, "ca": {t.flags.CA},
		"password_file": {t.flags.PasswordFile}, "passphrase_file": {t.passphraseFile}}
	if j.Up && t.Local != "" {
		files["source"] = []string{t.Local}
	}
	for _, key := range []string{"source", "identity", "known_hosts", "ca", "password_file", "passphrase_file"} {
		for _, name := range files[key] {
			if name == "" {
				continue
			}
			if _, err := os.Stat(name); err != nil {
				say(key, name+" is not there")
			}
		}
	}
	for _, v := range []struct{ key, name string }{{"password_env", t.passwordEnv}, {"passphrase_env", t.passphraseEnv}} {
		if v.name != "" && env.Getenv(v.name) == "" {
			say(v.key, v.name+" is not set")
		}
	}
}
