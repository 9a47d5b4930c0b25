//go:build linux && realserver

package trustdrill

import "golang.org/x/sys/unix"

type unixStat = unix.Stat_t

func statOf(path string, st *unixStat) error { return unix.Stat(path, st) }
