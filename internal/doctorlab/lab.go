//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

const (
	// atOnce is how many set-ups are examined beside each other: they wait more than they work.
	atOnce = 4
	// stepTimeout is less than the default, since every server is near.
	stepTimeout = 3 * time.Second
	// tries is how often a set-up is examined whose result depends on how busy this machine
	// was.
	tries = 3
)

// A setup is one server as it was put up, and how to examine it.
type setup struct {
	cfg ftpx.Config
	opt doctor.Options
}

// A scenario is a way in which something is broken, or is not.
type scenario struct {
	name   string // of the set-up, in a few words
	server string // what runs, as "vsftpd" or "sshd behind nftables"
	want   string // the code that must come first, "" for none: it is healthy
	cured  string // the remedy that mends it, "" where none is tried
	// build puts it up, broken or, with mended, with the remedy applied.
	build func(b *bench, mended bool) (setup, error)
}

// A result is what came of a scenario.
type result struct {
	scenario
	found  string   // the code that came first
	level  string   // its verdict
	others []string // further failures and warnings, which nobody should be told of
	gone   string   // after the remedy: "yes", or what is still said
	err    error
	took   time.Duration
	report string
}

// good reports whether all is as it must be.
func (r *result) good() bool {
	return r.err == nil && r.found == r.want && len(r.others) == 0 && (r.cured == "" || r.gone == "yes")
}

// lab is what all set-ups share.
type lab struct {
	verbose bool
	dir     string
	ca      *pki.CA
	caFile  string
}

func newLab(verbose bool) (*lab, error) {
	dir, err := os.MkdirTemp("", "ftpx-lab-")
	if err != nil {
		return nil, err
	}
	l := &lab{verbose: verbose, dir: dir, caFile: filepath.Join(dir, "ca.pem")}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	if l.ca, err = pki.NewCA("the lab's authority"); err != nil {
		return nil, err
	}
	return l, l.ca.WritePEM(l.caFile)
}

func (l *lab) close() { _ = os.RemoveAll(l.dir) }

// runAll runs the scenarios that match, some at once, and returns the results in order.
func (l *lab) runAll(ctx context.Context, pattern *regexp.Regexp) []result {
	var chosen []scenario
	for _, s := range scenarios() {
		if pattern.MatchString(s.name) {
			chosen = append(chosen, s)
		}
	}
	results := make([]result, len(chosen))
	turns := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, s := range chosen {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			if ctx.Err() == nil {
				results[i] = l.run(ctx, i, s)
				return
			}
			results[i] = result{scenario: s, err: ctx.Err()}
		})
	}
	wg.Wait()
	return results
}

// timed are the codes that say that something took long. On a busy machine they are true, and
// no fault of the set-up's.
var timed = []string{"slow-login", "dns-slow", "tcp-loss"}

// run examines a scenario, and anew where the machine was busy.
func (l *lab) run(ctx context.Context, number int, s scenario) (r result) {
	for i := range tries {
		r = l.once(ctx, number+i*1000, s)
		busy := slices.ContainsFunc(append(r.others, r.found), func(code string) bool { return code != s.want && slices.Contains(timed, code) })
		if r.good() || !busy || ctx.Err() != nil {
			break
		}
	}
	return r
}

// once examines one scenario, and again with its remedy.
func (l *lab) once(ctx context.Context, number int, s scenario) result {
	begin := time.Now()
	r := result{scenario: s}
	rep, err := l.examine(ctx, number, s, false)
	r.took = time.Since(begin)
	if err != nil {
		r.err = err
		return r
	}
	r.report = l.text(rep)
	if _, f := rep.First(); f != nil && (s.want != "" || f.Verdict != doctor.Note) {
		r.found, r.level = f.Code, string(f.Verdict)
	}
	r.others = others(rep, r.found)
	if s.cured == "" {
		return r
	}
	rep, err = l.examine(ctx, number+500, s, true)
	if err != nil {
		r.err = fmt.Errorf("with the remedy: %w", err)
		return r
	}
	r.gone = "yes"
	for _, f := range rep.Find(s.want) {
		if f.Verdict != doctor.OK {
			r.gone = string(f.Verdict)
		}
	}
	if rep.Worst() == doctor.Fail {
		_, f := rep.First()
		r.gone = "now " + f.Code
	}
	if r.gone != "yes" {
		r.report += "\nwith the remedy:\n" + l.text(rep)
	}
	return r
}

// others are the failures and warnings besides the first.
func others(rep *doctor.Report, first string) []string {
	var out []string
	for _, t := range rep.Targets {
		for _, f := range t.Findings {
			if (f.Verdict == doctor.Fail || f.Verdict == doctor.Warn) && f.Code != first {
				out = append(out, f.Code)
			}
		}
	}
	return out
}

func (l *lab) examine(ctx context.Context, number int, s scenario, mended bool) (rep *doctor.Report, err error) {
	b := &bench{lab: l, ctx: ctx, number: number}
	defer func() { err = errors.Join(err, b.end()) }()
	set, err := s.build(b, mended)
	if err != nil {
		return nil, fmt.Errorf("put it up: %w", err)
	}
	if set.opt.StepTimeout == 0 {
		set.opt.StepTimeout = stepTimeout
	}
	rep, err = doctor.Run(ctx, set.cfg, &set.opt)
	if err != nil {
		return nil, fmt.Errorf("examine it: %w", err)
	}
	if len(rep.Left) > 0 {
		return nil, fmt.Errorf("it left %q", rep.Left)
	}
	return rep, nil
}

func (l *lab) text(rep *doctor.Report) string {
	var b strings.Builder
	_ = rep.WriteText(&b, l.verbose) // into memory
	return b.String()
}
