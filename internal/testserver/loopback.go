package testserver

import (
	"errors"
	"fmt"
	"net"
)

// listenLoopback listens on addr, which has to be a loopback address: the
// servers are open doors with known passwords.
func listenLoopback(addr string) (*net.TCPListener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf("listen on %s: not a loopback address", addr)
	}
	return net.ListenTCP("tcp", tcp)
}

// isLoopback reports whether a peer is this machine.
func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// errShut is what a listener reports once its server is closing. Its text is the
// one by which ftpserverlib recognises a closed listener.
var errShut = &net.OpError{Op: "accept", Net: "tcp", Err: errors.New("use of closed network connection")}
