//go:build !windows

package transport

import "syscall"

// What the system says when a peer cannot be reached, when a connection is
// gone, and when nobody answers.
var (
	unreachableErrnos = []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL,
		syscall.ENETDOWN, syscall.EHOSTDOWN}
	lostErrnos = []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, syscall.ENETRESET, syscall.ENOTCONN,
		syscall.ESHUTDOWN, errnoTimedOut}
)

const errnoTimedOut = syscall.ETIMEDOUT
