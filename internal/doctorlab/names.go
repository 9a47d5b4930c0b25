//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// zone is what the imitated name server knows of every name, and how long it takes.
type zone struct {
	v4, v6 string // "" for none
	delay  time.Duration
	none   bool // no such name
}

// resolver starts a name server on loopback and returns a resolver that asks it.
func (b *bench) resolver(z zone) (*net.Resolver, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			answer := z.answer(buf[:n])
			time.Sleep(z.delay) // what a far name server takes
			if answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	b.cleanup(func() error {
		err := conn.Close()
		<-done
		return err
	})
	addr := conn.LocalAddr().String()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", addr)
	}}, nil
}

// Types and codes of RFC 1035 and RFC 3596.
const (
	typeA       = 1
	typeAAAA    = 28
	noSuchName  = 3
	isAnswer    = 0x8180 // response, recursion desired and available
	headerBytes = 12
)

// answer makes the answer to a query of one question; nil for what is none.
func (z zone) answer(query []byte) []byte {
	if len(query) < headerBytes+5 || binary.BigEndian.Uint16(query[4:]) != 1 {
		return nil
	}
	end := headerBytes
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 1 + 4 // the root label, type and class
	if end > len(query) {
		return nil
	}
	kind := binary.BigEndian.Uint16(query[end-4:])
	out := append([]byte(nil), query[:end]...)
	flags := uint16(isAnswer)
	if z.none {
		flags |= noSuchName
	}
	binary.BigEndian.PutUint16(out[2:], flags)
	binary.BigEndian.PutUint32(out[6:], 0)  // no answers or authorities yet
	binary.BigEndian.PutUint16(out[10:], 0) // and nothing additional
	text := ""
	switch kind {
	case typeA:
		text = z.v4
	case typeAAAA:
		text = z.v6
	}
	if text == "" || z.none {
		return out
	}
	addr := netip.MustParseAddr(text).AsSlice()
	binary.BigEndian.PutUint16(out[6:], 1)
	out = append(out, 0xc0, headerBytes) // the name is that of the question
	out = binary.BigEndian.AppendUint16(out, kind)
	out = binary.BigEndian.AppendUint16(out, 1)
	out = binary.BigEndian.AppendUint32(out, 60)
	out = binary.BigEndian.AppendUint16(out, uint16(len(addr)))
	return append(out, addr...)
}
