package testmain

import (
	"fmt"
	"os"
)

// InMemory returns m with os.TempDir, and with it testing.T.TempDir, in a folder in memory.
// Most tests fsync what they write, many write tens of MiB, and nothing of it is to
// survive, so that a disk would be waited for more than anything else.
//
// The folder is gone when Run returns; what a process left that was killed, the next one
// removes. Programs that the tests start inherit it.
//
// It changes nothing where TMPDIR is set (TMPDIR=/tmp go test ./... is for tests on a
// disk), and where there is no file system in memory with a GiB free from which programs
// can be started: on systems other than Linux, and in many containers.
func InMemory(m Runner) Runner { return inMemory{m} }

type inMemory struct{ Runner }

func (r inMemory) Run() int {
	dir, remove, err := enter()
	if err != nil {
		fmt.Fprintf(os.Stderr, "testmain: %v; the tests write to %s\n", err, os.TempDir())
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
