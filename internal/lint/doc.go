// Package lint holds the house rules that a machine can check, as tests: which
// way imports run, what a program that imports ftpx has to compile, that exported
// names are documented, how long files grow, where security may be switched off,
// and what lies at the top level.
//
// Each rule is a function from a source tree to a list of complaints. It runs
// over the module, which must give none, and over a small tree made for the
// purpose that breaks the rule, which must give some: a check that cannot fail is
// worth nothing. Read the rules' own comments for the reasons.
package lint
