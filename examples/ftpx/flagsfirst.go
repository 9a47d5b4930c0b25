package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// flagsFirst puts the flags of a command line before its arguments: kong takes no flag between
// two of a list. Where it cannot tell what is what, it changes nothing, and kong complains.
func flagsFirst(model *kong.Application, args []string) []string {
	node := model.Node
	var command, flags, rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(append([]string{"--"}, rest...), args[i+1:]...)
			return append(append(command, flags...), rest...)
		case len(arg) < 2 || arg[0] != '-':
			if child := childOf(node, arg); child != nil && len(rest) == 0 {
				node = child
				command = append(command, arg)
			} else {
				rest = append(rest, arg)
			}
			continue
		}
		flags = append(flags, arg)
		if !wantsValue(node, arg) {
			continue
		}
		if i++; i == len(args) {
			return args
		}
		flags = append(flags, args[i])
	}
	return append(append(command, flags...), rest...)
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Type == kong.CommandNode && c.Name == name {
			return c
		}
	}
	return nil
}

// wantsValue reports whether the argument behind a flag is its value.
func wantsValue(node *kong.Node, arg string) bool {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		f := flagOf(node, func(f *kong.Flag) bool { return f.Name == long })
		return f != nil && !f.IsBool() && !f.IsCounter()
	}
	for i, r := range arg[1:] {
		f := flagOf(node, func(f *kong.Flag) bool { return f.Short == r })
		if f == nil {
			return false
		}
		if !f.IsBool() && !f.IsCounter() {
			return 1+i+len(string(r)) == len(arg) // else the value is joined to it
		}
	}
	return false
}

// flagOf finds a flag of a command, or of one above it.
func flagOf(node *kong.Node, is func(*kong.Flag) bool) *kong.Flag {
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if is(f) {
				return f
			}
		}
	}
	return nil
}
