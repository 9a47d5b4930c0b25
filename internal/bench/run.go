//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A program is one process to start.
type program struct {
	Argv  []string
	Stdin string
	Env   []string // besides the inherited
}

// A usage is what programs that ran at the same time took together.
type usage struct {
	Wall   time.Duration // from the first start to the last end
	CPU    time.Duration // of all, their own children included
	Memory int64         // peak of resident bytes of each, summed; of its own children, the largest counts
	Output []string      // standard output of each
	Failed string        // what went wrong, "" for nothing
}

// measure runs programs at once under a process of their own, which is small: on
// Linux, the peak of memory of a process begins with that of its parent.
func measure(ctx context.Context, programs []program) (u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	text, err := json.Marshal(programs)
	if err != nil {
		return u, err
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), modeVariable+"="+modeRun)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &errs
	if err := cmd.Run(); err != nil {
		return u, fmt.Errorf("%w: %s", err, tail(errs.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &u); err != nil {
		return u, err
	}
	if u.Failed != "" {
		return u, errors.New(u.Failed)
	}
	return u, nil
}

// runMain is the process that starts the programs on its standard input.
func runMain() error {
	// The kernel ends the programs when the thread that started them ends.
	runtime.LockOSThread()
	var programs []program
	if err := json.NewDecoder(os.Stdin).Decode(&programs); err != nil {
		return err
	}
	var u usage
	cmds := make([]*exec.Cmd, len(programs))
	outs, errs := make([]bytes.Buffer, len(programs)), make([]bytes.Buffer, len(programs))
	begin := time.Now()
	for i, p := range programs {
		cmd := exec.Command(p.Argv[0], p.Argv[1:]...)
		cmd.Env = append(os.Environ(), p.Env...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(p.Stdin), &outs[i], &errs[i]
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return err
		}
		cmds[i] = cmd
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil && u.Failed == "" {
			u.Failed = fmt.Sprintf("%s: %v: %s", programs[i].Argv[0], err, tail(errs[i].String()+outs[i].String()))
		}
		u.Wall = time.Since(begin)
		u.CPU += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			u.Memory += r.Maxrss << 10
		}
		u.Output = append(u.Output, outs[i].String())
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}

// tail returns the last lines of what a program said.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}
