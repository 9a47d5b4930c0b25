package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// mistake is what is typed, and the line that comes of it.
type mistake struct {
	args []string
	code int
	says string // the whole of standard error, but for the last line end
}

// TestMistakes: each is told in one line that names what is wrong, where, and what to do,
// before anything is dialled.
func TestMistakes(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, ".", map[string]string{"a": "a", "x/same": "1", "y/same": "2"})
	const escapes = "write scheme://user@host[:port]/folder, special characters of the user as %XX (@ is %40, / is %2F); the password comes from FTPX_PASSWORD or --password-file"
	for name, m := range map[string]mistake{
		// Those of the record that was kept of newcomers.
		"port out of range":    {[]string{"put", "a", "sftp://u@h:99999/in"}, 2, "ftpx: the port in the URL is not between 1 and 65535: " + escapes},
		"port of a flag":       {[]string{"put", "a", "box:in", "-p", "99999"}, 2, `ftpx: --port "99999": write a port from 1 to 65535`},
		"known hosts missing":  {[]string{"ls", "--known-hosts", "nofile", "box:"}, 2, "ftpx: --known-hosts nofile: no such file or directory"},
		"source missing":       {[]string{"put", "nofile", "box:in/"}, 2, "ftpx: nofile: no such file or directory"},
		"one dash":             {[]string{"ls", "-known-hosts", "x", "box:"}, 2, `ftpx: "-known-hosts": a flag of several letters has two dashes: write --known-hosts; ftpx ls --help tells more`},
		"number in words":      {[]string{"put", "--connections", "eight", "a", "box:"}, 2, `ftpx: --connections "eight": write a whole number from 1, as 8`},
		"password in the URL":  {[]string{"ls", "sftp://u:" + clitest.Password + "@h/"}, 2, "ftpx: the URL holds a password, which anyone who lists processes can read: put it into FTPX_PASSWORD or --password-file"},
		"plain FTP":            {[]string{"ls", "ftp://u@h/"}, 2, "ftpx: plain FTP shows password and files to anyone on the way: use sftp:// or ftpes://, or permit it with --allow-plaintext"},
		"misspelt flag":        {[]string{"put", "--dryrun", "a", "box:"}, 2, `ftpx: unknown flag --dryrun, did you mean "--dry-run"?; ftpx put --help tells more`},
		"misspelt command":     {[]string{"mirorr", "a", "box:"}, 2, `ftpx: there is no command mirorr: did you mean "mirror"?; ftpx --help tells more`},
		"flag without a value": {[]string{"put", "a", "box:", "--delivery"}, 2, "ftpx: --delivery: its value is missing; ftpx put --help tells more"},

		// And others of their kind.
		"no destination":        {[]string{"put", "a"}, 2, "ftpx: missing argument: remote file or folder, as host:in/"},
		"both local":            {[]string{"put", "a", "b"}, 2, "ftpx: the last argument, b, is a local path: write host:b, or a URL"},
		"nothing named":         {[]string{"ls"}, 2, "ftpx: missing argument: remote file or folder, as host:path; ftpx ls --help tells more"},
		"nothing to copy":       {[]string{"put"}, 2, "ftpx: missing argument: what to copy, and where to; ftpx put --help tells more"},
		"destination not last":  {[]string{"put", "a", "box:in/", "b"}, 2, "ftpx: box:in/ is remote and b is local: the place to send to comes last"},
		"the wrong way round":   {[]string{"put", "box:a", "."}, 2, "ftpx: box:a is remote and . is local: ftpx get fetches"},
		"both remote":           {[]string{"put", "box:a", "box:b"}, 2, "ftpx: box:a is remote, as box:b is: between two servers, get it first"},
		"get of nothing remote": {[]string{"get", "a"}, 2, "ftpx: a is a local path, and nothing remote is named: write host:a, or a URL"},
		"several into a file":   {[]string{"get", "box:a", "box:b", "a"}, 2, "ftpx: a is a file, and several may come: name a folder"},
		"two of one name":       {[]string{"put", "x/same", "y/same", "box:in/"}, 2, "ftpx: x/same and y/same would both be called same there"},
		"no name for a pipe":    {[]string{"put", "-", "box:in/"}, 2, "ftpx: standard input has no name: write box:in/NAME"},
		"a pipe among others":   {[]string{"put", "-", "a", "box:in/"}, 2, "ftpx: - is standard input, which is one file: name nothing beside it"},
		"many to a pipe":        {[]string{"get", "box:*", "-"}, 2, "ftpx: box:* may be several files, and - is one: ftpx cat writes them one after the other"},
		"pattern of nothing":    {[]string{"put", "*.none", "box:"}, 2, "ftpx: *.none matches nothing"},
		"local for remote":      {[]string{"ls", "dir"}, 2, "ftpx: dir is a local path: write host:dir, or a URL"},
		"mode":                  {[]string{"chmod", "rw", "box:a"}, 2, "ftpx: rw is not a mode: write it in octal, as 640"},
		"two servers":           {[]string{"mv", "box:a", "far:b"}, 2, "ftpx: far:b is on another server than box:a: a file is renamed on one"},
		"size":                  {[]string{"put", "--min-size", "big", "a", "box:"}, 2, `ftpx: --min-size: "big" is not a size: write bytes, as 1500, "500k", "20M" or "1G"`},
		"duration":              {[]string{"put", "--stall", "long", "a", "box:"}, 2, `ftpx: --stall "long": write a positive duration, as 30s, 15m or 2h`},
		"way of delivery":       {[]string{"put", "--delivery", "fast", "a", "box:"}, 2, `ftpx: --delivery: "fast" is no way of delivery: atomic, direct or drop`},
		"pattern":               {[]string{"put", "--include", "[", "a", "box:"}, 2, `ftpx: --include: "[" is not a pattern: "*.csv" matches names, "in/**/*.csv" paths, "tmp/" folders`},
		"exchanged bounds":      {[]string{"put", "--min-size", "2", "--max-size", "1", "a", "box:"}, 2, "ftpx: --min-size: it is more than --max-size, 1, so that nothing would be copied: exchange them"},
		"once without a ledger": {[]string{"mirror", "--once", ".", "box:in"}, 2, "ftpx: --once: a ledger alone remembers what was copied: set --ledger to a file"},
		"mirror of two local":   {[]string{"mirror", "a", "b"}, 2, "ftpx: neither a nor b is remote: write host:folder, or a URL"},
		"mirror of a file":      {[]string{"mirror", "a", "box:in"}, 2, `ftpx: SOURCE "a" is no folder: name one, and --include "a" for a single file`},
		"check of two local":    {[]string{"check", "a", "x"}, 2, "ftpx: exactly one of a and x must be remote, as host:folder"},
		"unknown scheme":        {[]string{"ls", "https://h/"}, 2, `ftpx: unknown scheme "https" in URL: use ftpx (choose), sftp, ftpes (explicit TLS), ftps (implicit TLS) or ftp`},
		"directive of ssh":      {[]string{"ls", "-o", "Prot=22", "box:"}, 2, `ftpx: host "box": "Prot=22": prot: unknown directive: correct it, or name it in IgnoreUnknown before this line`},
		"port of ftpx":          {[]string{"ls", "-p", "22", "ftpx://h/"}, 2, "ftpx: --port: ftpx:// chooses among protocols, which have different ports: name the protocol in the address, or use --sftp-port and --ftp-port"},
		"escape in a URL":       {[]string{"ls", "sftp://h/%zz"}, 2, "ftpx: malformed URL: a % is not followed by two hexadecimal digits: " + escapes},
		"empty argument":        {[]string{"ls", ""}, 2, `ftpx: an argument is empty: "." is the current folder, and host: the login folder`},
		"shell":                 {[]string{"completion", "csh"}, 2, `ftpx: <shell> must be one of "bash","zsh","fish" but got "csh"; ftpx completion --help tells more`},
		"no such job":           {[]string{"mirror", "--config", "jobs.toml", "none"}, 2, `ftpx: there is no job "none": the file has nightly`},
		"flag with a file":      {[]string{"mirror", "--config", "jobs.toml", "--delete"}, 2, "ftpx: --delete does not go with --config: set delete in the file"},
		"way of a download":     {[]string{"get", "--partial-name", "{name}.x", "box:a", "."}, 2, "ftpx: --delivery: this is about what is sent, as --partial-name is: leave them out"},
	} {
		t.Run(name, func(t *testing.T) {
			u.put(t, "work/jobs.toml", "[[job]]\nname = \"nightly\"\nsource = \".\"\ntarget = \"sftp://h/in\"\n")
			s := u.types(t, m.args...).Want(t, m.code)
			if got := strings.TrimSuffix(s.Err, "\n"); got != m.says || s.Out != "" {
				t.Errorf("says  %s\nwant  %s\nstdout %q", got, m.says, s.Out)
			}
		})
	}
	if n := u.SFTP.Stats().Accepted + u.FTP.Stats().Accepted; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestFailures: what a server brings up is told once, the file's name first, with what
// helps.
func TestFailures(t *testing.T) {
	u := newAccount(t, func(o *testserver.TrioOptions) {
		o.Access = func(op testserver.Op, p string) error {
			if strings.HasPrefix(p, "/closed") && op != testserver.OpStat && op != testserver.OpList {
				return os.ErrPermission
			}
			return nil
		}
	})
	clitest.Write(t, ".", map[string]string{"a": "a", "b": "b", "dir/": ""})
	clitest.Write(t, u.Root, map[string]string{"closed/": "", "file": "f", "out/deep/x": "x"})
	at, closed := "127.0.0.1:"+u.Flags()[1], clitest.ClosedPort(t)
	for name, m := range map[string]mistake{
		"wrong port":        {[]string{"ls", "--retry-for", "20ms", "-o", "Port=" + closed, "box:"}, 3, "ftpx: 127.0.0.1:" + closed + ": connection refused: check host and port (-p), and whether the server runs"},
		"several protocols": {[]string{"ls", "--retry-for", "20ms", "--protocols", "sftp,ftps", "--ftp-port", closed, "-o", "Port=" + closed, "box:"}, 3, "ftpx: sftp: 127.0.0.1:" + closed + ": connection refused; ftps: 127.0.0.1:" + closed + ": connection refused: check host and port (-p), and whether the server runs"},
		"cat of a folder":   {[]string{"cat", "box:out"}, 2, "ftpx: out: not fetched: it is a folder: name a file, or fetch it with ftpx get"},
		"not there":         {[]string{"ls", "box:none"}, 1, "ftpx: none: no such file or folder (" + at + ")"},
		"pattern":           {[]string{"ls", "box:*.none"}, 1, "ftpx: *.none: matches nothing"},
		"get of a pattern":  {[]string{"get", "box:out/*.none", "."}, 1, "out/*.none: matches nothing\n0 files copied, 1 failed"},
		"the login folder":  {[]string{"rm", "-r", "box:"}, 2, "ftpx: box: is the login folder, the root, or above: name what is to be removed"},
		"get of nothing":    {[]string{"get", "box:none", "."}, 1, "none: no such file or folder (" + at + ")\n0 files copied, 1 failed"},
		"no permission":     {[]string{"put", "a", "box:closed/"}, 1, "a: not sent: permission denied (" + at + "): choose a folder that the user may use; if it is the name of the partial that the server does not take, choose another: --partial-name '{name}.filepart', or send without one: --delivery direct\n0 files copied, 1 failed"},
		"into a file":       {[]string{"put", "a", "b", "box:file"}, 1, `ftpx: remote "file" is not a folder`},
		"file with a slash": {[]string{"get", "box:file/", "."}, 1, `ftpx: remote "file" is not a folder`},
		"no way to log in":  {[]string{"ls", "--no-config", "sftp://" + clitest.User + "@" + at + "/"}, 4, "ftpx: " + at + ": login refused: user \"batch\": there is no key in ~/.ssh or the agent, and no password: check the user's name; the password comes from ~/.netrc, $FTPX_PASSWORD, --password-file or a prompt, a key from -i, the agent or ~/.ssh"},
	} {
		t.Run(name, func(t *testing.T) {
			s := u.types(t, m.args...).Want(t, m.code)
			if got := strings.TrimSuffix(s.Err, "\n"); got != m.says {
				t.Errorf("says  %s\nwant  %s", got, m.says)
			}
		})
	}
	wrong := command()
	wrong.Vars["FTPX_PASSWORD"] = "wrong"
	s := wrong.Run(t.Context(), t, "ls", "--no-config", "sftp://"+clitest.User+"@"+at+"/").Want(t, cli.ExitLogin)
	if strings.Count(s.Err, "refused") != 1 || strings.Count(s.Err, "\n") != 1 {
		t.Errorf("a refused login: %s", s.Err)
	}
	// The bound of deletion names the flag.
	clitest.Write(t, u.Root, map[string]string{"full/1": "1", "full/2": "2", "full/3": "3"})
	s = u.types(t, "mirror", "--delete", "dir", "box:full").Want(t, cli.ExitSome)
	if want := "ftpx: nothing was deleted: 3 of the 3 entries there would go, more than 50 %: look whether the source is whole, then raise --max-delete\n"; !strings.HasPrefix(s.Err, want) {
		t.Errorf("says %s", s.Err)
	}
	// A job of flags is not called by a name that nobody gave.
	if s := u.types(t, "mirror", "none", "box:full").Want(t, cli.ExitUsage); s.Err != "ftpx: SOURCE none: no such file or directory\n" {
		t.Errorf("says %s", s.Err)
	}
}

// TestKeyscan: the line that an unknown host brings works when it is pasted.
func TestKeyscan(t *testing.T) {
	keyscan, err := exec.LookPath("ssh-keyscan")
	if err != nil {
		if os.Getenv("FTPX_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("there is no ssh-keyscan")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the line is one of a Unix shell")
	}
	u := newAccount(t)
	u.netrcOnly(t)
	place := urlOf(u.World, "sftp", "")
	s := u.types(t, "ls", place).Want(t, cli.ExitIdentity)
	_, line, _ := strings.Cut(s.Err, `add it with "`)
	line, _, ok := strings.Cut(line, `"`)
	if !ok || strings.Count(s.Err, "\n") != 1 {
		t.Fatal(s.Err)
	}
	t.Chdir(t.TempDir()) // wherever the user is
	c := exec.Command("sh", "-c", line)
	c.Env = append(os.Environ(), "HOME="+u.home, "PATH="+filepath.Dir(keyscan)+":"+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	u.done(t, "ls", place)
}

// TestTenMistakes: a configuration file with ten is told all of them, in one run.
func TestTenMistakes(t *testing.T) {
	u := newAccount(t)
	u.put(t, "work/jobs.toml", `[defaults]
retry = { for = "soon" }
[[job]]
name = "a b"
sourc = "reports"
target = "sftp://u:`+clitest.Password+`@h/in"
parallel = "eight"
max_delete = 4
include = "*.csv"
links = "maybe"
once = "yes"
password = "hunter2"
`)
	s := u.types(t, "mirror", "--config", "jobs.toml", "--check").Want(t, cli.ExitUsage)
	lines := strings.Split(strings.TrimSuffix(s.Err, "\n"), "\n")
	for i, want := range []string{
		`2: defaults.retry.for: "soon" is not a duration: write "90s"`,
		`4: job.name: "a b" is not a name: use up to 64 letters`,
		`5: job.sourc: unknown key: did you mean "source"?`,
		`6: job.target: the URL holds a password, or cannot be read`,
		`7: job.parallel: write a whole number without quotes, as 4`,
		`8: job.max_delete: "4" is not a share: write more than 0 and at most 1`,
		`9: job.include: write a list of texts, as ["a", "b"]`,
		`10: job.links: "maybe" is not known: write one of skip, follow, files, keep`,
		`11: job.once: write true or false, without quotes`,
		`12: job.password: a secret does not belong into this file`,
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], "ftpx: jobs.toml:"+want) {
			t.Errorf("line %d is not %q:\n%s", i+1, want, s.Err)
		}
	}
	if len(lines) != 10 || strings.Contains(s.Err, "hunter2") || strings.Contains(s.Err, "fileJob") {
		t.Errorf("%d lines:\n%s", len(lines), s.Err)
	}
}

// TestFlagsAnywhere: a flag may stand between two arguments, with its value or without, and
// means there what it means in front.
func TestFlagsAnywhere(t *testing.T) {
	var all commands
	parser, err := newParser(&all, cli.Env{})
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"put a -v b box:":                         "put -v a b box:",
		"put a --delivery direct b box: -n":       "put --delivery direct -n a b box:",
		"put a --delivery=direct box:":            "put --delivery=direct a box:",
		"rm box:a -rn box:b":                      "rm -rn box:a box:b",
		"rm box:a -rp 22 box:b":                   "rm -rp 22 box:a box:b",
		"rm box:a -p22 box:b":                     "rm -p22 box:a box:b",
		"put a -v -- -n box:":                     "put -v -- a -n box:",
		"put - box:x -v":                          "put -v - box:x",
		"put a box: --delivery":                   "put a box: --delivery",
		"put a --no-such-flag box:":               "put --no-such-flag a box:",
		"fleet cancel --reason late job":          "fleet cancel --reason late job",
		"ls -o Port=22 box: --include *.csv box:": "ls -o Port=22 --include box: *.csv box:", // no flag of ls
	} {
		if got := strings.Join(flagsFirst(parser.Model, strings.Fields(typed)), " "); got != want {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
	}
	u := newAccount(t)
	clitest.Write(t, ".", map[string]string{"a": "a", "b": "b"})
	u.done(t, "put", "a", "--partial-name", "{name}.x", "b", "-v", "box:in/")
	clitest.Holds(t, u.Root, map[string]string{"in/a": "a", "in/b": "b"})
}
