package lint

import (
	"go/ast"
	"go/token"
	"testing"
	"unicode"
)

// goneWords are words that meant two or more things in this module, or that nobody in
// the field uses, with what the field says. They may not come back as, or within, a name
// that is declared. In prose most of them are ordinary English.
var goneWords = map[string]string{
	"stretch": "segment", "piece": "segment, section or chunk", "pieces": "segments",
	"lane": "worker or channel", "lanes": "workers or channels",
	"rider": "share", "riders": "share", "seat": "share", "seats": "share",
	"seam": "resume point", "seams": "resume points", "peeked": "pipelined stat", "looked": "stat",
	"beside": "concurrent", "ahead": "prefetched, pipelined or read-ahead", "early": "pipelined", "syncer": "checkpoint", "sidecar": "resume state",
	"litter": "leftovers", "placing": "committing", "hush": "silent", "hushed": "silent",
	"patience": "timeout", "stray": "unsolicited", "hasten": "shorten the deadline",
	"sighting": "snapshot", "bury": "dead-letter", "twin": "counterpart", "twins": "counterparts",
	"surplus": "extra",
}

// checkWords complains about names of the module's code, tests aside, that hold a word
// that is gone. readAhead, as the operating systems say, may stay.
func checkWords(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		if f.test() {
			continue
		}
		name := func(id *ast.Ident) {
			if id == nil {
				return
			}
			words := split(id.Name)
			for i, w := range words {
				instead, gone := goneWords[w]
				if gone && !(w == "ahead" && i > 0 && (words[i-1] == "read" || words[i-1] == "reads")) {
					bad = append(bad, t.at(id.Pos(), "%s: the field says %s, not %s", id.Name, instead, w))
				}
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				name(n.Name)
			case *ast.TypeSpec:
				name(n.Name)
			case *ast.Field:
				for _, id := range n.Names {
					name(id)
				}
			case *ast.ValueSpec:
				for _, id := range n.Names {
					name(id)
				}
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
						name(id)
					}
				}
			}
			return true
		})
	}
	return bad
}

// split breaks a name into its words, in small letters: errUTF8Name is err, utf8, name.
func split(name string) []string {
	var words []string
	var word []rune
	letters := []rune(name)
	for i, r := range letters {
		next := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if len(word) > 0 && (r == '_' || unicode.IsUpper(r) && (!unicode.IsUpper(letters[i-1]) || next)) {
			words, word = append(words, string(word)), nil
		}
		if r != '_' {
			word = append(word, unicode.ToLower(r))
		}
	}
	return append(words, string(word))
}

func TestWordsThatAreGone(t *testing.T) { none(t, checkWords(theModule(t))) }

func TestWordRuleCanFail(t *testing.T) {
	exactly(t, checkWords(madeUp(t, map[string]string{"a/a.go": `// Package a is made up.
package a

type openLanes struct{ patience, readAhead int }

func sidecarOf(twin string) (aheadPort int) {
	early := len(twin)
	return early
}
`})), "a/a.go:4: openLanes: the field says workers or channels, not lanes",
		"a/a.go:4: patience: the field says timeout, not patience",
		"a/a.go:6: sidecarOf: the field says resume state, not sidecar",
		"a/a.go:6: twin: the field says counterpart, not twin",
		"a/a.go:6: aheadPort: the field says prefetched, pipelined or read-ahead, not ahead",
		"a/a.go:7: early: the field says pipelined, not early")
}
