//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideEnv marks the process that runs in the namespace.
const insideEnv = "FTPX_DOCTORLAB_INSIDE"

func main() {
	run := flag.String("run", "", "run set-ups whose names match this expression alone")
	write := flag.String("write", "", "write the page docs/doctor.md to this file")
	verbose := flag.Bool("v", false, "print each report")
	flag.Parse()
	if err := command(*run, *write, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "doctorlab:", err)
		os.Exit(1)
	}
}

func command(run, write string, verbose bool) error {
	pattern, err := regexp.Compile(run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if os.Getenv(insideEnv) == "" {
		return again(os.Args[1:]...)
	}
	if err := furnish(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := newLab(verbose)
	if err != nil {
		return err
	}
	defer l.close()
	results := l.runAll(ctx, pattern)
	printMatrix(os.Stdout, results)
	if verbose {
		for _, r := range results {
			fmt.Printf("\n--- %s (%s)\n%s", r.name, r.server, r.report)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if write != "" {
		if run != "" {
			return fmt.Errorf("-write: the page is made of all set-ups: leave -run out")
		}
		if err := os.WriteFile(write, page(results), 0o644); err != nil {
			return err
		}
	}
	return verdictOn(results)
}

// again runs this program in namespaces of its own, of network and mounts: rules of nft and
// the resolver's file are then nobody else's.
func again(args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	return cmd.Run()
}
