//go:build linux

package realserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Ports are handed out in blocks, one block to a server, from below the range
// that kernels take for outgoing connections (32768 and up by default), so that
// a client's own sockets never sit on a port that a server is about to open.
const (
	firstPort  = 20000
	lastPort   = 32000
	blockPorts = 128 // one to listen on, the others for passive data connections
)

// A portBlock is a range of ports that no other server of this machine's tests
// uses, in this process or another.
type portBlock struct {
	control              int
	passiveLo, passiveHi int
	lock                 *os.File
}

// reservePorts takes the first block that nobody else holds and whose ports can
// be bound on the address. The lock files lie in the folder; a lock ends with the
// process, so a killed test leaves nothing reserved.
func reservePorts(folder, host string) (*portBlock, error) {
	for first := firstPort; first+blockPorts <= lastPort; first += blockPorts {
		lock, err := tryLock(filepath.Join(folder, "ports-"+strconv.Itoa(first)))
		if err != nil {
			return nil, err
		}
		if lock == nil {
			continue
		}
		if bindable(host, first, first+blockPorts) {
			return &portBlock{control: first, passiveLo: first + 1, passiveHi: first + blockPorts - 1, lock: lock}, nil
		}
		lock.Close()
	}
	return nil, fmt.Errorf("realserver: every port block between %d and %d is taken", firstPort, lastPort)
}

// release gives the block back.
func (b *portBlock) release() { b.lock.Close() }

// tryLock returns the locked file, or nil if somebody else holds the lock.
func tryLock(name string) (*os.File, error) {
	f, err := openLock(name)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	return nil, fmt.Errorf("realserver: lock %s: %w", name, err)
}

// bindable reports whether every port of the block can be listened on: programs
// that know nothing of our locks may hold some.
func bindable(host string, lo, end int) bool {
	for port := lo; port < end; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
