package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// flagged puts flags where the library names its options.
func flagged(text string) string {
	for _, r := range optionWords {
		text = r.option.ReplaceAllString(text, r.flag)
	}
	if strings.Contains(text, `>> ~/.ssh/known_hosts"`) && homeless() {
		text = strings.Replace(text, `"ssh-keyscan `, `"mkdir -p ~/.ssh && ssh-keyscan `, 1)
	}
	return text
}

// homeless reports whether there is no folder ~/.ssh yet.
func homeless() bool {
	home, err := os.UserHomeDir()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(home, ".ssh"))
	return errors.Is(err, fs.ErrNotExist)
}

// optionWords are the library's words for its options, and those for flags.
var optionWords = []struct {
	option *regexp.Regexp
	flag   string
}{
	{regexp.MustCompile(`no way to log in was given: set Password, IdentityFiles, Signers, Agent or KeyboardInteractive`), "there is no key in ~/.ssh or the agent, and no password"},
	{regexp.MustCompile(`set Password, IdentityFiles, Signers, Agent or KeyboardInteractive`), "give a password or a key"},
	{regexp.MustCompile(`, or pin it in HostKeyFingerprints, or set TrustOnFirstUse`), ", or pin it with --host-key"},
	{regexp.MustCompile(`none of those in HostKeyFingerprints`), "none of those of --host-key"},
	{regexp.MustCompile(`choose another with PartialName`), "choose another with --partial-name"},
	{regexp.MustCompile(`deliver without one: Delivery Direct sends under the final name, Drop asks nothing about the file`),
		"--delivery direct sends under the final name, --delivery drop asks nothing about the file"},
	{regexp.MustCompile(`set Delivery to Drop`), "use --delivery drop"},
	{regexp.MustCompile(`raise Options\.([\w.]+) \((-[a-z-]+)\)`), "raise $2"},
	{regexp.MustCompile(`set Options\.([\w.]+) \((-[a-z-]+)\)`), "use $2"},
	{regexp.MustCompile(`set Options\.Ports \(([^)]*)\)`), "use $1"},
	{regexp.MustCompile(`, or set Config\.Dial`), ", or use --via"},
	{regexp.MustCompile(`: set Config\.Dial`), ": use --via"},
	{regexp.MustCompile(`, or set Config\.AllowUnchecked, which means the same here`), ""},
	{regexp.MustCompile(`raise Options\.Limits\.Conns`), "raise --connections"},
	{regexp.MustCompile(`Options\.Delivery and PartialName are for uploads: leave them out`), "this is about what is sent, as --partial-name is: leave them out"},
	{regexp.MustCompile(`>> known_hosts"`), `>> ~/.ssh/known_hosts"`},
}

// Flags writes flags as the command has them: with two dashes in the one command.
func (e Env) Flags(text string) string {
	if !e.Long {
		return text
	}
	return shortDash.ReplaceAllString(text, "$1--$2")
}

// shortDash is a flag as the old commands write it. Only whole words of ours are taken.
var shortDash = regexp.MustCompile(`(^|[\s(,;])-(known-hosts|host-key|tofu|ca|protocols|sftp-port|ftp-port|ftps-port|ftps-implicit-port|retry-for|password-file|identity|agent|` +
	`max-listing|allow-plaintext|max-delete|delete|resend-unknown|ledger|once|include|exclude|delivery|partial-name|after-archive|after-source|min-size|max-size|newer-than|older-than|` +
	`stall|rate|verify|parallel|via|standby|charset|list-zone|compare|links|lock-dir|config|report|dry-run|json|quiet|ready-stable|ready-marker|first-name|dead-letter|name|rename)\b`)
