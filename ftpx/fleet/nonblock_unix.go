//go:build unix

package fleet

import "syscall"

// nonblock keeps the opening of a pipe that has come into a file's place from waiting.
const nonblock = syscall.O_NONBLOCK
