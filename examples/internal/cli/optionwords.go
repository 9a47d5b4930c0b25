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
	text = optionName.ReplaceAllStringFunc(text, func(found string) string {
		m := optionName.FindStringSubmatch(found)
		flag, ok := optionFlags[m[2]]
		switch {
		case !ok:
			return found
		case m[1] == "set ":
			return "use " + flag
		}
		return m[1] + flag
	})
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
	{regexp.MustCompile(`plain FTP alone is listed but not allowed, because it shows password and files to anyone on the way: list SFTP or FTPS, or set Options\.AllowPlaintext`),
		"plain FTP shows password and files to anyone on the way: use sftp:// or ftpes://, or permit it with -allow-plaintext"},
	{regexp.MustCompile(`or use folder\.Download`), "or fetch it with ftpx get"},
	{regexp.MustCompile(`, or set TLS\.Config\.ServerName`), ""},
	{regexp.MustCompile(`choose another with PartialName`), "choose another with --partial-name"},
	{regexp.MustCompile(`deliver without one: Delivery Direct sends under the final name, Drop asks nothing about the file`),
		"--delivery direct sends under the final name, --delivery drop asks nothing about the file"},
	{regexp.MustCompile(`set Delivery to Drop`), "use --delivery drop"},
	{regexp.MustCompile(`in TLS\.CAFile or TLS\.Config\.RootCAs`), "with -ca"},
	{regexp.MustCompile(`, or set Config\.Dial`), ", or use --via"},
	{regexp.MustCompile(`: set Config\.Dial`), ": use --via"},
	{regexp.MustCompile(`, or set Config\.AllowUnchecked, which means the same here`), ""},
	{regexp.MustCompile(`Options\.Delivery and PartialName are for uploads: leave them out`), "this is about what is sent, as --partial-name is: leave them out"},
	{regexp.MustCompile(`>> known_hosts"`), `>> ~/.ssh/known_hosts"`},
}

// optionName is the name of an option in a text, optionFlags what sets it here.
var (
	optionName  = regexp.MustCompile(`(set |)Options\.((?:\w+\.)*\w+)`)
	optionFlags = map[string]string{
		"AllowPlaintext": "-allow-plaintext", "Protocols": "-protocols", "Ports": "-sftp-port, -ftp-port or -ftps-port", "Limits.Conns": "-connections", "Limits.Rate": "-rate",
		"Limits.Listing": "-max-listing", "MaxDelete": "-max-delete", "ResendUnknown": "-resend-unknown", "FTP.ListZone": "-list-zone", "Charset": "-charset",
		"PartialName": "-partial-name",
	}
)

// Flags writes flags as the command has them: with two dashes in the one command.
func (e Env) Flags(text string) string {
	if !e.Long {
		return text
	}
	return shortDash.ReplaceAllString(text, "$1--$2")
}

// shortDash is a flag as the old commands write it. Only whole words of ours are taken.
var shortDash = regexp.MustCompile(`(^|[\s(,;])-(known-hosts|host-key|connections|tofu|ca|protocols|sftp-port|ftp-port|ftps-port|ftps-implicit-port|retry-for|password-file|identity|agent|` +
	`max-listing|allow-plaintext|max-delete|delete|resend-unknown|ledger|once|include|exclude|delivery|partial-name|after-archive|after-source|min-size|max-size|newer-than|older-than|` +
	`stall|rate|verify|parallel|via|standby|charset|list-zone|compare|links|lock-dir|config|report|dry-run|json|quiet|ready-stable|ready-marker|first-name|dead-letter|name|rename)\b`)
