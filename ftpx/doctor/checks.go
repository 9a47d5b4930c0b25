package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Check is one diagnosis.
type Check struct {
	// Code is its stable name.
	Code string
	// Layer is where its cause lies.
	Layer Layer
	// Title is the diagnosis in a few words, Symptom what a user sees of it.
	Title, Symptom string // see above
	// Needs says how far the examination must have come: "name", "connection", "greeting",
	// "protection", "login" or "listing"; "" for nothing.
	Needs string
	// OnRequest says that it is made with Options.Scratch, Connections or Idle alone.
	OnRequest bool
	// Remedy is what to do.
	Remedy string
	// Directives are the settings of server programs.
	Directives map[Software]string
}

// Checks returns all checks in the order in which they are made and reported. The caller
// may change what it gets.
func Checks() []Check {
	var out []Check
	for _, c := range checks {
		c := c.Check
		d := map[Software]string{}
		for k, v := range c.Directives {
			d[k] = v
		}
		c.Directives = d
		out = append(out, c)
	}
	return out
}

// Explain returns the check of a code. The error names codes that are alike.
func Explain(code string) (Check, error) {
	var alike []string
	for _, c := range Checks() {
		if c.Code == code {
			return c, nil
		}
		if head, _, _ := strings.Cut(c.Code, "-"); code != "" && strings.HasPrefix(code, head) {
			alike = append(alike, c.Code)
		}
	}
	hint := "list them with Checks (ftpx doctor --list)"
	if len(alike) > 0 {
		hint = "did you mean " + strings.Join(alike, " or ") + "?"
	}
	return Check{}, fmt.Errorf("unknown check code %q: %s", code, hint)
}

// judgement is what a check makes of what was seen; the zero value is nothing.
type judgement struct {
	verdict  Verdict
	evidence []string
	took     time.Duration
	// claims: this is why the examination stopped, so that no other check may say so too.
	claims bool
}

func (j judgement) lasting(d time.Duration) judgement { j.took = d; return j }

func ok(format string, args ...any) judgement   { return verdict(OK, format, args...) }
func note(format string, args ...any) judgement { return verdict(Note, format, args...) }
func warn(format string, args ...any) judgement { return verdict(Warn, format, args...) }
func fail(format string, args ...any) judgement { return verdict(Fail, format, args...) }

// cause is a failure that explains why the examination stopped.
func cause(format string, args ...any) judgement {
	j := verdict(Fail, format, args...)
	j.claims = true
	return j
}

func verdict(v Verdict, format string, args ...any) judgement {
	return judgement{verdict: v, evidence: []string{fmt.Sprintf(format, args...)}}
}

// and adds a sentence of evidence.
func (j judgement) and(format string, args ...any) judgement {
	j.evidence = append(slices.Clip(j.evidence), fmt.Sprintf(format, args...))
	return j
}

// A check is a Check with its code.
type check struct {
	Check
	needs   step
	applies func(*seen) bool
	judge   func(*seen) judgement
}

var stepNames = map[step]string{atResolved: "name", atConnected: "connection", atGreeted: "greeting", atProtected: "protection",
	atLoggedIn: "login", atServed: "listing"}

// checks are all checks in order. Within what stopped an examination the first that claims
// it is right: the special stands before the general.
var checks = table(networkChecks, identityChecks, protectionChecks, loginChecks, dataChecks, behaviourChecks, otherChecks)

func table(groups ...[]check) []check {
	var out []check
	for _, g := range groups {
		for _, c := range g {
			c.Needs = stepNames[c.needs]
			if c.applies == nil {
				c.applies = always
			}
			out = append(out, c)
		}
	}
	return out
}

func always(*seen) bool { return true }
