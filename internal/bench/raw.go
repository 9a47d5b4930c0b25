//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

// runRaw copies one file over one TCP connection, with nothing but its direction
// and size said before: what the machine and the line can do at most. Kernel
// copies (sendfile, splice) are used at both ends.
func runRaw(ctx context.Context, t *task, ready func()) (out outcome, err error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", t.Endpoint.addr())
	if err != nil {
		return out, err
	}
	defer c.Close()
	ready()
	head := []byte{0, byte(len(t.Remote))}
	if t.Up {
		head[0] = 1
	}
	head = append(binary.BigEndian.AppendUint64(head, uint64(t.Size)), t.Remote...)
	if _, err := c.Write(head); err != nil {
		return out, err
	}
	return out, rawCopy(c.(*net.TCPConn), t.Local, t.Size, t.Up, true)
}

// rawCopy sends or receives a file; the receiver says so with one byte at the end.
func rawCopy(c *net.TCPConn, name string, size int64, send, client bool) error {
	if send {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err = c.ReadFrom(io.LimitReader(f, size)); err != nil || !client {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 1))
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if n, err := f.ReadFrom(io.LimitReader(c, size)); err != nil || n < size {
		return fmt.Errorf("%d of %d bytes: %w", n, size, err)
	}
	if err := f.Close(); err != nil || client {
		return err
	}
	_, err = c.Write([]byte{1})
	return err
}

// rawServer is the other end of runRaw.
type rawServer struct {
	net.Listener
	root string
}

func startRaw(root string) (*rawServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &rawServer{Listener: l, root: root}
	go s.serve()
	return s, nil
}

func (s *rawServer) serve() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			if err := s.one(c.(*net.TCPConn)); err != nil {
				fmt.Fprintln(os.Stderr, "bench: raw copy:", err)
			}
		}()
	}
}

func (s *rawServer) one(c *net.TCPConn) error {
	head := make([]byte, 10)
	if _, err := io.ReadFull(c, head); err != nil {
		return err
	}
	name := make([]byte, head[1])
	if _, err := io.ReadFull(c, name); err != nil {
		return err
	}
	file := filepath.Join(s.root, string(name))
	return rawCopy(c, file, int64(binary.BigEndian.Uint64(head[2:])), head[0] == 0, false)
}
