package main

import "github.com/alecthomas/kong"

// columns is the widest that help gets.
const columns = 80

// help prints kong's help. The order of flags is that of the struct's groups.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	return kong.DefaultHelpPrinter(options, ctx)
}
