// Package memtemp gives the tests of a package temporary files in memory. Most of them
// fsync what they write, many write tens of MiB, and nothing of it is to survive, so that
// a disk would be waited for more than anything else.
package memtemp

import (
	"fmt"
	"os"
)

// Runner is what testing.M is.
type Runner interface{ Run() int }

// Tests returns m with os.TempDir, and with it testing.T.TempDir, in a folder in memory.
// The folder is gone when Run returns; what a process left that was killed, the next one
// removes. Programs that the tests start inherit it.
//
// It changes nothing where TMPDIR is set (TMPDIR=/tmp go test ./... is for tests on a
// disk), and where there is no file system in memory with a GiB free from which programs
// can be started: on systems other than Linux, and in many containers.
func Tests(m Runner) Runner { return runner{m} }

type runner struct{ Runner }

func (r runner) Run() int {
	dir, remove, err := enter()
	if err != nil {
		fmt.Fprintf(os.Stderr, "memtemp: %v; the tests write to %s\n", err, os.TempDir())
	}
	if dir != "" {
		defer remove()
	}
	return r.Runner.Run()
}

// enter makes the folder and sets TMPDIR to it; "" is that there is to be none.
func enter() (dir string, remove func(), err error) {
	if os.Getenv(variable) != "" {
		return "", nil, nil
	}
	dir, release, err := create(root)
	if err != nil || dir == "" {
		return "", nil, err
	}
	if err := os.Setenv(variable, dir); err != nil {
		release()
		return "", nil, err
	}
	return dir, func() {
		_ = os.Unsetenv(variable) // it was not set, and removing it cannot fail
		release()
	}, nil
}

const variable = "TMPDIR"
