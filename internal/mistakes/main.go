package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	match := flag.String("run", "", "plant those whose name matches this regular expression")
	all := flag.Bool("all", false, "run the tests of the whole module, not those of the packages named with a mistake")
	near := flag.Bool("near", false, "run the tests of the first package that is named with a mistake alone, for a quick look")
	list := flag.Bool("list", false, "print the list, and plant nothing")
	confirm := flag.Bool("confirm", false, "run the test that noticed once more with the mistake, where it must fail again, and without, where it must pass")
	bound := flag.Duration("bound", 10*time.Minute, "how long the tests of a package may take: a test that hangs has noticed")
	flag.Parse()
	wanted, err := regexp.Compile(*match)
	if err != nil || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := &planter{all: *all, near: *near, confirm: *confirm, bound: *bound}
	var chosen []mistake
	for _, m := range mistakes() {
		if wanted.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if *list {
		for _, m := range chosen {
			fmt.Printf("%-36s %s\n%36s %s\n", m.name, m.file, "", m.what)
		}
		return
	}
	if err := p.plantAll(ctx, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "mistakes:", err)
		os.Exit(1)
	}
}

// planter plants mistakes.
type planter struct {
	root               string // of the module
	all, near, confirm bool
	bound              time.Duration
}

// plantAll prints a line for each mistake. The error is nil if all were noticed.
func (p *planter) plantAll(ctx context.Context, ms []mistake) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return err
	}
	p.root = filepath.Dir(strings.TrimSpace(string(out)))
	noticed, bad := 0, 0
	for _, m := range ms {
		begin := time.Now()
		v, err := p.plant(ctx, &m)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		took := time.Since(begin).Round(time.Second)
		switch {
		case err != nil:
			bad++
			fmt.Printf("ERROR        %-34s %6v  %v\n", m.name, took, err)
		case !v.noticed:
			fmt.Printf("NOT noticed  %-34s %6v  %s\n", m.name, took, m.what)
		default:
			noticed++
			fmt.Printf("noticed      %-34s %6v  %s\n", m.name, took, v.by())
		}
	}
	fmt.Printf("%d mistakes: %d noticed, %d not, %d errors of the list\n", len(ms), noticed, len(ms)-noticed-bad, bad)
	if noticed < len(ms) {
		return errors.New("not all were noticed")
	}
	return nil
}

// plant plants one mistake and runs the tests.
func (p *planter) plant(ctx context.Context, m *mistake) (verdict, error) {
	dir, err := os.MkdirTemp("", "mistake-")
	if err != nil {
		return verdict{}, err
	}
	defer os.RemoveAll(dir)
	overlay, err := p.overlay(dir, m)
	if err != nil {
		return verdict{}, err
	}
	packages := m.tests
	switch {
	case p.all:
		packages = []string{"..."}
	case p.near:
		packages = packages[:1]
	}
	for _, pkg := range packages {
		v, err := p.test(ctx, "./"+pkg, "-overlay="+overlay, "-failfast")
		if err == nil && v.noticed && p.confirm {
			err = p.confirmed(ctx, &v, "-overlay="+overlay)
		}
		if err != nil || v.noticed {
			return v, err
		}
	}
	return verdict{}, nil
}

// confirmed runs the test that has noticed a mistake once more, where it must fail again, and
// without the mistake, where it must pass.
func (p *planter) confirmed(ctx context.Context, v *verdict, overlay string) error {
	if v.test == "" || v.hung {
		return nil
	}
	top, _, _ := strings.Cut(v.test, "/")
	only := "-run=^" + top + "$"
	again, err := p.test(ctx, v.pkg, only, overlay)
	if err != nil {
		return err
	}
	if !again.noticed {
		return fmt.Errorf("%s fails by chance: it has passed with the mistake", v.by())
	}
	if again, err = p.test(ctx, v.pkg, only); err == nil && again.noticed {
		err = fmt.Errorf("%s fails without the mistake, too", again.by())
	}
	return err
}

// test runs go test.
func (p *planter) test(ctx context.Context, pkg string, flags ...string) (verdict, error) {
	// Vet is off because it sees the form of a mistake and not what it does.
	args := append([]string{"test", "-json", "-vet=off", "-count=1", "-timeout=" + p.bound.String()}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Dir = p.root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return verdict{}, err
	}
	if err := cmd.Start(); err != nil {
		return verdict{}, err
	}
	v, verr := read(stdout)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case verr != nil:
		return v, verr
	case errors.As(err, &exit) && v.noticed:
		return v, nil
	case err != nil:
		return v, fmt.Errorf("go test %s: %w: %s", pkg, err, strings.TrimSpace(stderr.String()))
	}
	return v, nil
}
