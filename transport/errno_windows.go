package transport

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// What Winsock says when a peer cannot be reached, when a connection is gone,
// and when nobody answers. The constants of package syscall that are named
// after POSIX are inventions there, which no call returns.
var (
	unreachableErrnos = []error{windows.WSAECONNREFUSED, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH,
		windows.WSAEADDRNOTAVAIL, windows.WSAENETDOWN, windows.WSAEHOSTDOWN, syscall.ECONNREFUSED}
	lostErrnos = []error{windows.WSAECONNRESET, windows.WSAECONNABORTED, windows.WSAENETRESET, windows.WSAENOTCONN,
		windows.WSAESHUTDOWN, windows.ERROR_NETNAME_DELETED, windows.ERROR_BROKEN_PIPE, errnoTimedOut,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT}
)

const errnoTimedOut = windows.WSAETIMEDOUT
