package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"

	"github.com/alecthomas/kong"
)

// columns is the widest that help gets.
const columns = 80

// usages are how arguments are written that kong knows as a list.
var usages = map[string]string{
	"put": "SOURCE... DEST", "get": "SOURCE... [DEST]", "mv": "SOURCE... DEST", "check": "LOCAL REMOTE", "chmod": "MODE PLACE...",
	"mirror": "SOURCE DEST", "watch": "SOURCE DEST",
}

// listed is such a list in kong's help, with what pads it to its column.
var listed = regexp.MustCompile(`\[?<(source-dest|mode-place)> \.\.\.\]?`)

// help prints kong's help, with its arguments as people write them.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	var text bytes.Buffer
	out := ctx.Stdout
	ctx.Stdout = &text
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	page := text.String()
	if node := ctx.Selected(); node != nil {
		if usage := usages[node.Name]; usage != "" {
			first := true
			page = listed.ReplaceAllStringFunc(page, func(was string) string {
				if first {
					first = false
					return usage
				}
				return fmt.Sprintf("%-*s", len(was), usage) // of the table of arguments
			})
		}
	}
	_, err = io.WriteString(out, page)
	return err
}
