package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says what to do with it.
func (*completionCmd) Help() string {
	return `Examples:

    source <(ftpx completion bash)        # in ~/.bashrc
    source <(ftpx completion zsh)         # in ~/.zshrc
    ftpx completion fish | source         # in ~/.config/fish/config.fish`
}

// Run prints the shell's code.
func (c *completionCmd) Run(w *world) error {
	var b strings.Builder
	switch c.Shell {
	case "fish":
		fish(&b, w.model)
	case "zsh":
		b.WriteString("autoload -Uz bashcompinit && bashcompinit\n")
		bash(&b, w.model)
	default:
		bash(&b, w.model)
	}
	_, err := fmt.Fprint(w.env.Stdout, b.String())
	return err
}

// words are the commands, and the flags of each.
func words(model *kong.Application) (commands []string, flags map[string][]string) {
	flags = map[string][]string{}
	for _, n := range model.Children {
		if n.Hidden {
			continue
		}
		commands = append(commands, n.Name)
		for _, f := range n.Flags {
			if !f.Hidden {
				flags[n.Name] = append(flags[n.Name], "--"+f.Name)
			}
		}
	}
	return commands, flags
}

func bash(b *strings.Builder, model *kong.Application) {
	commands, flags := words(model)
	fmt.Fprintf(b, `_ftpx() {
  local cur=${COMP_WORDS[COMP_CWORD]} words=
  if [[ $COMP_CWORD == 1 ]]; then words=%q
  elif [[ $cur == -* ]]; then
    case ${COMP_WORDS[1]} in
`, strings.Join(commands, " "))
	for _, c := range commands {
		fmt.Fprintf(b, "    %s) words=%q ;;\n", c, strings.Join(append(flags[c], "--help"), " "))
	}
	b.WriteString(`    esac
  else COMPREPLY=($(compgen -f -- "$cur")); return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _ftpx ftpx
`)
}

func fish(b *strings.Builder, model *kong.Application) {
	for _, n := range model.Children {
		if n.Hidden {
			continue
		}
		fmt.Fprintf(b, "complete -c ftpx -n __fish_use_subcommand -f -a %s -d %s\n", n.Name, quoted(n.Help))
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			short := ""
			if f.Short != 0 {
				short = fmt.Sprintf(" -s %c", f.Short)
			}
			value := ""
			if !f.IsBool() {
				value = " -r"
			}
			fmt.Fprintf(b, "complete -c ftpx -n '__fish_seen_subcommand_from %s' -l %s%s%s -d %s\n", n.Name, f.Name, short, value, quoted(f.Help))
		}
	}
}

// quoted is a word of a shell.
func quoted(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }
