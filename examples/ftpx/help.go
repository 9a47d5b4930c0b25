package main

import (
	"bytes"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// columns is the widest that help gets.
const columns = 80

// usages are how arguments are written that kong knows as a list.
var usages = map[string]string{
	"put": "SOURCE... DEST", "get": "SOURCE... [DEST]", "mv": "OLD NEW",
}

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
			page = strings.Replace(page, "<source-dest> ...", usage, 1)
			page = strings.Replace(page, "<source-dest> ...    ", "SOURCE, DEST         ", 1)
		}
	}
	_, err = io.WriteString(out, page)
	return err
}
