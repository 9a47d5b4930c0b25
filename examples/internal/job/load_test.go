package job

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

func write(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "jobs.toml")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

const good = "[[job]]\nname = \"a\"\nsource = \"src\"\ntarget = \"sftp://u@host/in\"\n"

// TestLoad: every key ends up where it belongs, those of a target win over those of its
// job, and these over the defaults; relative paths are relative to the file.
func TestLoad(t *testing.T) {
	name := write(t, `
lock_dir = "locks"
[defaults]
known_hosts = ["hosts"]
parallel = 3
compare = "proof"
rate = "1M"
[defaults.retry]
for = "1h"
max_delay = "10s"
[[job]]
name = "up"
source = "src"
include = ["*.csv"]
min_size = "1k"
max_size = 4096
newer_than = "7d"
older_than = "1m"
links = "follow"
fold_case = true
tolerance = "2s"
delete = true
max_delete = "25%"
partial_age = "48h"
stop_on_error = true
ledger = "sent.db"
once = true
report = "/abs/r.json"
verify = "full"
password_env = "PW"
[job.retry]
attempts = 7
[job.ready]
stable = "3s"
[job.watch]
flat = true
interval = "1s"
[[job.targets]]
target = "sftp://u@one/in"
parallel = 5
charset = "gbk"
known_hosts = []
[job.targets.retry]
for = "5m"
[[job.targets]]
target = "ftpes://u@two/in"
ca = "ca.pem"
ftps_port = 2121
[[job]]
name = "down"
source = "ftpx://u@three//out"
target = "in"
manifest = true
compare = "time"
`)
	jobs, err := Load(name, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(name)
	at := func(n string) string { return filepath.Join(dir, n) }
	up, down := jobs[0], jobs[1]
	want := folder.Options{Include: []string{"*.csv"}, MinSize: 1024, MaxSize: 4096, NewerThan: 7 * 24 * time.Hour, OlderThan: time.Minute, Links: folder.LinkFollow,
		FoldCase: true, Compare: folder.CompareProof, Tolerance: 2 * time.Second, Delete: true, MaxDelete: 0.25, PartialAge: 48 * time.Hour, StopOnError: true,
		Once: true, Ready: folder.Ready{Stable: 3 * time.Second}}
	if !reflect.DeepEqual(up.Options, want) {
		t.Errorf("%+v\nwant %+v", up.Options, want)
	}
	if !up.Up || up.Ledger != at("sent.db") || up.Report != "/abs/r.json" || up.Lock != filepath.Join(dir, "locks", "up.lock") || !up.Watch.Flat || up.Watch.Interval != time.Second {
		t.Errorf("%+v", up)
	}
	one, two := up.Targets[0], up.Targets[1]
	if one.URL != "sftp://u@one/in" || one.Local != at("src") || one.flags.Parallel != 5 || one.flags.Charset != "gbk" || two.flags.Charset != "" || len(one.flags.KnownHosts) != 0 || one.flags.Rate != "1048576" || one.flags.Verify != "full" || one.passwordEnv != "PW" {
		t.Errorf("%+v", one)
	}
	if want := (retry.Policy{MaxElapsed: 5 * time.Minute, MaxAttempts: 7, MaxDelay: 10 * time.Second}); !reflect.DeepEqual(one.retry, want) {
		t.Errorf("%+v, want %+v", one.retry, want)
	}
	if two.flags.Parallel != 3 || two.flags.CA != at("ca.pem") || two.flags.Ports.FTPS != 2121 || !slices.Equal(two.flags.KnownHosts, []string{at("hosts")}) {
		t.Errorf("%+v", two)
	}
	if want := (retry.Policy{MaxElapsed: time.Hour, MaxAttempts: 7, MaxDelay: 10 * time.Second}); !reflect.DeepEqual(two.retry, want) {
		t.Errorf("%+v, want %+v", two.retry, want)
	}
	if down.Up || down.Targets[0].URL != "ftpx://u@three//out" || down.Targets[0].Local != at("in") || !down.Manifest || down.Options.Compare != folder.CompareTime || down.Watch.Flat {
		t.Errorf("%+v", down)
	}
	if jobs, err := Load(name, "/elsewhere"); err != nil || jobs[1].Lock != filepath.Join("/elsewhere", "down.lock") {
		t.Error(err)
	}
}

// TestProblems: each names its line and its key, and the remedy; none quotes a secret.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // parts of the problems, in their order
	}{
		"empty":               {"", []string{"jobs.toml: there is no job: begin one with [[job]]"}},
		"syntax":              {"[[job]\n", []string{"jobs.toml:1: "}},
		"unknown table":       {good + "[[jobs]]\nname = \"x\"\n", []string{`:5: jobs: unknown key: did you mean "job"?`}},
		"unknown key":         {good + "exlude = []\n", []string{`:5: job.exlude: unknown key: did you mean "exclude"?`}},
		"far off":             {good + "zzzzzzzzzz = 1\n", []string{`:5: job.zzzzzzzzzz: unknown key: those known here are after, agent, allow_plaintext,`}},
		"unknown in defaults": {"[defaults]\nparalel = 2\n" + good, []string{`:2: defaults.paralel: unknown key: did you mean "parallel"?`}},
		"unknown within":      {good + "[job.after]\nsauce = \"keep\"\n", []string{`:6: job.after.sauce: unknown key: did you mean "source"?`}},
		"unknown inline":      {good + "retry = { four = \"1h\" }\n", []string{`:5: job.retry.four: unknown key: did you mean "for"?`}},
		"unknown dotted":      {good + "retry.four = \"1h\"\n", []string{`:5: job.retry.four: unknown key`}},
		"password":            {good + "password = \"hunter2\"\n", []string{`:5: job.password: a secret does not belong into this file: .*password_env.*password_file`}},
		"passphrase":          {"[defaults]\nPassPhrase = \"hunter2\"\n" + good, []string{`:2: defaults.PassPhrase: a secret does not`}},
		"type":                {good + "delete = \"yes\"\n", []string{`:5: `}},
		"secret as number":    {good + "password_file = 9876543210123\n", []string{`:5: `}},
		"secret as name":      {good + "password_env = \"hunter2!\"\n", []string{`:5: job.password_env: this is not the name of an environment variable`}},
		"size":                {good + "min_size = \"lots\"\n", []string{`:5: job.min_size: "lots" is not a size`}},
		"share":               {good + "delete = true\nmax_delete = 2\n", []string{`:6: job.max_delete: "2" is not a share`}},
		"compare":             {good + "compare = \"hash\"\n", []string{`:5: job.compare: "hash" is not known: write one of time, size, proof, always`}},
		"source":              {"[[job]]\nname = \"a\"\ntarget = \"sftp://u@h/\"\n", []string{`:1: job.source: it is missing`}},
		"no target":           {"[[job]]\nname = \"a\"\nsource = \"s\"\n", []string{`:1: job.target: give one target`}},
		"no name":             {"[[job]]\nsource = \"s\"\ntarget = \"sftp://u@h/\"\n", []string{`:1: job.name: it is missing`}},
		"both local":          {"[[job]]\nname = \"a\"\nsource = \"s\"\ntarget = \"t\"\n", []string{`:4: job.target: the source is a local folder, so this must be a URL`}},
		"both URLs":           {"[[job]]\nname = \"a\"\nsource = \"sftp://u@h/\"\ntarget = \"sftp://u@h/\"\n", []string{`:4: job.target: the source is a URL, so this must be a local folder`}},
		"URL with password":   {"[[job]]\nname = \"a\"\nsource = \"s\"\ntarget = \"sftp://u:hunter2@h/\"\n", []string{`:4: job.target: the URL holds a password`}},
		"source URL":          {"[[job]]\nname = \"a\"\nsource = \"http://h/\"\ntarget = \"t\"\n", []string{`:3: job.source: unknown scheme`}},
		"plain":               {"[[job]]\nname = \"a\"\nsource = \"s\"\ntarget = \"ftp://u@h/\"\n", []string{`:4: job.target: plain FTP shows`}},
		"via":                 {good + "via = [\"socks5://u:hunter2@h\"]\n", []string{`:5: job.via: a hop holds a password`}},
		"via scheme":          {good + "via = [\"gopher://h\"]\n", []string{`:5: job.via: `}},
		"port":                {good + "sftp_port = 70000\n", []string{`:5: job.sftp_port: 70000 is not a port`}},
		"protocol":            {good + "protocols = [\"sftp\", \"scp\"]\n", []string{`:5: job.protocols: unknown protocol "scp"`}},
		"both passwords":      {good + "password_env = \"A\"\npassword_file = \"b\"\n", []string{`:5: job.password_env: password_file is set too`}},
		"charset":             {good + "charset = \"klingon\"\nlist_zone = \"Nowhere\"\n", []string{`:5: job.charset: -charset "klingon" is not known`, `:6: job.list_zone: -list-zone "Nowhere" is not known`}},
		"in defaults":         {"[defaults]\nmax_delete = 0.5\n" + good, []string{`:2: job.max_delete: it bounds what delete may do`}},
		"pattern":             {good + "exclude = [\"[\"]\n", []string{`:5: job.exclude: "\[" is not a pattern`}},
		"template":            {good + "rename = \"{size}\"\n", []string{`:5: job.rename: .*Options\.Name`}},
		"several, taken": {"[[job]]\nname = \"a\"\nsource = \"s\"\n[[job.targets]]\ntarget = \"sftp://u@h/\"\n[[job.targets]]\ntarget = \"sftp://u@i/\"\n[job.after]\nsource = \"delete\"\n",
			[]string{`:9: job.after.source: with several targets`}},
		"number in quotes":  {good + "parallel = \"eight\"\n", []string{`:5: job.parallel: write a whole number without quotes, as 4`}},
		"number for text":   {good + "ledger = 5\n", []string{`:5: job.ledger: write text in quotes, as "text"`}},
		"text for a list":   {good + "include = \"*.csv\"\n", []string{`:5: job.include: write a list of texts, as ["a", "b"]`}},
		"text for a table":  {good + "after = \"delete\"\n", []string{`:5: job.after: it is a table with keys of its own: archive, mark_source, mark_target, source`}},
		"list for a number": {good + "parallel = [\n  1,\n  2,\n]\nonce = true\n", []string{`:5: job.parallel: write a whole number`, `:9: job.once: a ledger alone`}},
		"ten at once": {"[[job]]\nname = \"a b\"\nsourc = \"s\"\ntarget = \"sftp://u:hunter2@h/in\"\nparallel = \"eight\"\nmax_delete = 4\n" +
			"compare = \"hash\"\ndelete = \"yes\"\nonce = true\nretry = { for = 5 }\npassword = \"hunter2\"\n",
			[]string{`:2: job.name: "a b" is not a name`, `:3: job.sourc: unknown key: did you mean "source"?`, `:4: job.target: the URL holds a password`, `:5: job.parallel: write a whole number`,
				`:6: job.max_delete: "4" is not a share`, `:7: job.compare: "hash" is not known`, `:8: job.delete: write true or false, without quotes`, `:9: job.once: a ledger alone`,
				`:10: job.retry.for: "5" is not a duration`, `:11: job.password: a secret does not belong`}},
		"standby without URL": {good + "[[job.standbys]]\nuser = \"x\"\n[[job.standbys]]\nurl = \"other.example.com\"\n",
			[]string{`:5: job.standbys.0.url: it is missing, or no URL`, `:6: job.standbys.user: unknown key`, `:8: job.standbys.1.url: it is missing, or no URL`}},
		"standby with password": {good + "[[job.standbys]]\nurl = \"sftp://u:hunter2@h2\"\n", []string{`:6: job.standbys.0.url: the URL holds a password`}},
		"standby with folder":   {good + "[[job.standbys]]\nurl = \"sftp://u@h2/in\"\n", []string{`:6: job.standbys.0.url: it names a folder`}},
		"standby of another": {good + "[[job.standbys]]\nurl = \"ftpes://u@h2\"\nsftp_port = 70000\n",
			[]string{`:6: job.standbys.0.url: the scheme is for ftps, and the first host's for sftp`, `:7: job.standbys.0.sftp_port: 70000 is not a port`}},
		"several problems": {good + "once = true\nmin_size = 2\nmax_size = 1\nparallel = 0\n",
			[]string{`:5: job.once: a ledger alone`, `:6: job.min_size: it is more`, `:8: job.parallel: it is 0`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, c.text), "/locks")
			var p Problems
			if !errors.As(err, &p) {
				t.Fatalf("%v", err)
			}
			if len(p) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%s", len(p), len(c.want), p)
			}
			for i, w := range c.want {
				if !matches(w, p[i]) {
					t.Errorf("%s\nwant %s", p[i], w)
				}
				if strings.Contains(p[i], "hunter2") || strings.Contains(p[i], "9876543210123") {
					t.Errorf("a secret is shown: %s", p[i])
				}
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none"), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	many, err := Load(write(t, good+strings.Repeat("[[job]]\n", 50)), "")
	if p, ok := err.(Problems); !ok || len(p) > most {
		t.Errorf("%d problems of %v", len(p), many)
	}
}

// FuzzDecode: whatever is in the file, it is read or refused.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", good, "[[job]]\n[job.retry]\nfor=1\n[[job.targets]]\n[[job]]\n[[job.targets]]\n", "a.b.c=1\n[a]\n[[a.b]]\n", "[x]\n[x]\n", "\"\"=1", "job=[{name=\"a\"}]", "x=\"\"\"\n\n\"\"\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		jobs, err := Load(write(t, text), "/locks")
		if (err == nil) != (len(jobs) > 0) {
			t.Errorf("%d jobs, %v", len(jobs), err)
		}
	})
}
