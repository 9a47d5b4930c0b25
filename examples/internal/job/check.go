package job

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// nameForm is what a job may be called: its lock's file bears the name.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkName(name string, bad func(key, text string)) {
	switch {
	case name == "":
		bad("name", "it is missing: give the job a name of its own, by which its lock and its entries in a ledger are found again")
	case !nameForm.MatchString(name):
		bad("name", fmt.Sprintf("%q is not a name: use up to 64 letters, digits, dots, dashes and underscores, and begin with a letter or a digit", name))
	}
}

// check complains about settings that do not go together, or that would be found out
// only when the job runs.
func (s *settings) check(up bool, o folder.Options, bad func(key, text string)) {
	fine := true
	tell := bad
	bad = func(key, text string) {
		fine = false
		tell(key, text)
	}
	for key, globs := range map[string][]string{"include": s.Include, "exclude": s.Exclude} {
		for _, g := range globs {
			if p := strings.Trim(g, "/"); p == "" || !doublestar.ValidatePattern(p) {
				bad(key, fmt.Sprintf("%q is not a pattern: \"*.csv\" matches names, \"in/**/*.csv\" paths, \"tmp/\" folders", g))
			}
		}
	}
	if o.MaxSize > 0 && o.MinSize > o.MaxSize {
		bad("min_size", fmt.Sprintf("it is more than max_size, %d, so that nothing would be copied: exchange them", o.MaxSize))
	}
	if o.NewerThan > 0 && o.OlderThan > o.NewerThan {
		bad("older_than", fmt.Sprintf("it is more than newer_than, %v, so that nothing would be copied: exchange them", o.NewerThan))
	}
	if o.MaxDelete > 0 && !o.Delete {
		bad("max_delete", "it bounds what delete may do, which is not set: set delete, or remove this")
	}
	if o.Once && value(s.Ledger) == "" {
		bad("once", "a ledger alone remembers what was copied: set ledger to a file")
	}
	if o.ResendUnknown && value(s.Ledger) == "" {
		bad("resend_unknown", "a ledger alone remembers which files are unknown: set ledger to a file, or remove this")
	}
	if a := o.After; a.Source == folder.SourceMove && a.Archive == "" {
		bad("after.source", "to be moved, a file needs a place: set after.archive to a folder on the source's side")
	} else if a.Archive != "" && a.Source != folder.SourceMove {
		bad("after.archive", "it is for moved files: set after.source to \"move\", or remove this")
	}
	if value(s.Manifest) {
		s.checkManifest(o, bad)
	}
	if up {
		checkDelivery(o, value(s.Verify).v == "full", bad)
	}
	if !fine {
		return
	}
	if why := probe(up, o); why != "" {
		bad(optionOf(why), why)
	}
}

// checkDelivery complains about ways to deliver that do not go together. full says that files
// are read back.
func checkDelivery(o folder.Options, full bool, bad func(key, text string)) {
	switch err := ftpx.CheckPartialName(o.PartialName); {
	case err != nil:
		bad("partial_name", fmt.Sprintf("%q: %v", o.PartialName, err))
	case o.PartialName != "" && o.Delivery != ftpx.DeliverAtomic:
		bad("partial_name", fmt.Sprintf("it does not go with delivery %v, which has no partial: remove one of the two", o.Delivery))
	}
	if o.Delivery == ftpx.DeliverDrop && full {
		bad("verify", "full does not go with delivery drop, which reads nothing back: use size, or another delivery")
	}
}

// optionOf is the key of the option that an error of package folder begins with.
func optionOf(why string) string {
	for field, key := range map[string]string{"Ready": "ready", "Name": "rename", "FirstName": "first_name", "Delivery": "delivery", "PartialName": "partial_name", "Delete": "delete", "After.Archive": "after.archive",
		"After.MarkTarget": "after.mark_target", "After.MarkSource": "after.mark_source", "DeadLetter": "dead_letter"} {
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(why, "field "), "Options."+field); ok && !strings.HasPrefix(rest, ".") || ok && field == "Ready" {
			return key
		}
	}
	return "options"
}

// checkManifest: a manifest names every file of the folder, so that none may be left
// out or be called otherwise.
func (s *settings) checkManifest(o folder.Options, bad func(key, text string)) {
	for key, set := range map[string]bool{
		"include": len(o.Include) > 0, "exclude": len(o.Exclude) > 0, "min_size": o.MinSize > 0, "max_size": o.MaxSize > 0,
		"newer_than": o.NewerThan > 0, "older_than": o.OlderThan > 0, "rename": o.Name != "", "dead_letter": o.DeadLetter != "",
		"after.source": o.After.Source != folder.SourceKeep, "after.mark_source": o.After.MarkSource != "", "ready": o.Ready != folder.Ready{},
	} {
		if set {
			bad(key, "with manifest set it would leave files out that the manifest names: remove one of the two")
		}
	}
}

// check complains about what would be found out only when the server is
// dialled.
func (c *connection) check(bad func(key, text string)) {
	for _, name := range c.Protocols {
		if _, err := ftpx.ParseProtocol(name); err != nil {
			bad("protocols", err.Error())
		}
	}
	for key, port := range map[string]*int{"sftp_port": c.SFTPPort, "ftp_port": c.FTPPort, "ftps_port": c.FTPSPort, "ftps_implicit_port": c.FTPSImplicitPort} {
		if port != nil && (*port < 1 || *port > 65535) {
			bad(key, fmt.Sprintf("%d is not a port: use 1 to 65535", *port))
		}
	}
	for key, n := range map[string]*int{"parallel": c.Parallel, "connections": c.Connections, "files": c.Files} {
		if n != nil && *n < 1 {
			bad(key, fmt.Sprintf("it is %d: use 1 or more", *n))
		}
	}
	if c.Parallel != nil && c.Connections != nil {
		bad("parallel", "connections is set too, which is its new name: remove this")
	}
	if r := c.Retry; r != nil && r.Attempts != nil && *r.Attempts < 1 {
		bad("retry.attempts", fmt.Sprintf("it is %d: use 1 or more", *r.Attempts))
	}
	for key, f := range map[string]cli.Flags{"charset": {Charset: value(c.Charset)}, "list_zone": {ListZone: value(c.ListZone)}} {
		if err := f.CheckNames(); err != nil {
			bad(key, strings.TrimPrefix(err.Error(), "usage: "))
		}
	}
	if c.PasswordEnv != nil && c.PasswordFile != nil {
		bad("password_env", "password_file is set too: remove one of the two")
	}
	if c.PassphraseEnv != nil && c.PassphraseFile != nil {
		bad("passphrase_env", "passphrase_file is set too: remove one of the two")
	}
	for key, name := range map[string]*string{"password_env": c.PasswordEnv, "passphrase_env": c.PassphraseEnv} {
		if name != nil && !variable.MatchString(*name) {
			// What it is instead may be the secret.
			bad(key, "this is not the name of an environment variable, as FILES_PASSWORD is: letters, digits and underscores")
		}
	}
	for _, hop := range c.Via {
		if cli.CheckArg(hop) != nil {
			bad("via", "a hop holds a password, or cannot be read: write scheme://user@host[:port], and put hops with passwords into $FTPX_VIA")
		} else if _, err := tunnel.ParseHop(hop); err != nil {
			bad("via", transport.Printable(err.Error()))
		}
	}
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func isURL(place string) bool { return strings.Contains(place, "://") }

// checkURL complains about a URL, in words that do not quote it.
func checkURL(url string, c *connection, key string, bad func(key, text string)) {
	if cli.CheckArg(url) != nil {
		bad(key, "the URL holds a password, or cannot be read: write scheme://user@host[:port]/folder, special characters as %XX, and name the password as password_env or password_file")
		return
	}
	opts := ftpx.Options{AllowPlaintext: value(c.AllowPlaintext)}
	cfg, err := cli.ParseURL(url, &opts)
	switch {
	case err != nil:
		bad(key, cli.Words(err))
	case len(cfg.Protocols) == 1 && cfg.Protocols[0] == ftpx.FTP && !opts.AllowPlaintext:
		bad(key, "plain FTP shows password and files to anyone on the way: use sftp:// or ftpes://, or set allow_plaintext (--allow-plaintext)")
	case cfg.Base != "":
		if err := transport.CheckPath(cfg.Base); err != nil {
			bad(key, err.Error())
		}
	}
}
