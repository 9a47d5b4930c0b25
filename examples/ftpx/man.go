package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

type manCmd struct{}

// Help says what to do with it.
func (*manCmd) Help() string {
	return `Examples:

    ftpx man | man -l -
    ftpx man > /usr/local/share/man/man1/ftpx.1`
}

// Run prints the page in the form of man(7).
func (*manCmd) Run(w *world) error {
	_, err := fmt.Fprint(w.env.Stdout, manual(w.model))
	return err
}

func manual(model *kong.Application) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(".TH FTPX 1")
	line(".SH NAME\nftpx \\- move files over SFTP, FTPS and FTP")
	line(".SH SYNOPSIS\n.B ftpx\n.I COMMAND\n[flags] ARGUMENTS")
	line(".SH DESCRIPTION")
	text(&b, description)
	for _, n := range model.Children {
		if n.Hidden {
			continue
		}
		line(".SH %s", roff(strings.ToUpper(n.Name)))
		line(".B ftpx %s %s", roff(n.Name), roff(usageOf(n)))
		line(".PP\n%s", roff(n.Help))
		text(&b, n.Detail)
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			name := "--" + f.Name
			if f.Short != 0 {
				name = fmt.Sprintf("-%c, %s", f.Short, name)
			}
			if !f.IsBool() {
				name += "=" + f.FormatPlaceHolder()
			}
			line(".TP\n.B %s\n%s", roff(name), roff(f.Help))
		}
	}
	line(".SH EXIT CODES")
	for _, c := range cli.ExitCodes() {
		line(".TP\n%d\n%s", c.Code, roff(c.Meaning))
	}
	return b.String()
}

// usageOf is how the arguments of a command are written.
func usageOf(n *kong.Node) string {
	if u := usages[n.Name]; u != "" {
		return u
	}
	var args []string
	for _, p := range n.Positional {
		args = append(args, p.Summary())
	}
	return strings.Join(args, " ")
}

// text writes paragraphs, and examples as they are.
func text(b *strings.Builder, s string) {
	for _, p := range strings.Split(strings.TrimSpace(s), "\n\n") {
		if strings.HasPrefix(p, "    ") {
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(p))
		} else if p != "" {
			fmt.Fprintf(b, ".PP\n%s\n", roff(p))
		}
	}
}

// roff writes text so that man(7) takes none of it for its own.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
