//go:build linux

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// passivePort finds the port in a reply to EPSV or PASV.
var passivePort = regexp.MustCompile(`229 [^(]*\(\|\|\|(\d+)\||227 [^(]*\(\d+,\d+,\d+,\d+,(\d+),(\d+)\)`)

// inspected is a server behind a firewall that opens a data port when it reads it in a reply,
// which under TLS it cannot: nftables drops, and a proxy on the control connection adds to
// its set of ports what it sees in clear.
func (b *bench) inspected(mended bool) (setup, error) {
	set, s, err := b.secured(realserver.Options{Kind: realserver.VSFTPD})
	if err != nil {
		return setup{}, err
	}
	set.cfg.Protocols, set.cfg.AllowPlaintext = []ftpx.Protocol{ftpx.FTPS, ftpx.FTP}, true
	if mended {
		return set, nil
	}
	table := fmt.Sprintf("inspector%d", b.number)
	err = tool("nft", fmt.Sprintf(`add table inet %[1]s
add set inet %[1]s seen { type inet_service; }
add chain inet %[1]s in { type filter hook input priority 1; }
add rule inet %[1]s in tcp dport %[2]d-%[3]d tcp dport != @seen drop
`, table, s.PassiveLo, s.PassiveHi))
	if err != nil {
		return setup{}, err
	}
	b.cleanup(func() error { return tool("nft", "delete table inet "+table) })
	m := &middlebox{target: s.Addr(), overhear: func(p []byte) {
		for _, port := range portsIn(p) {
			// A failure leaves the port shut, which the examination then says.
			_ = tool("nft", fmt.Sprintf("add element inet %s seen { %d }", table, port))
		}
	}}
	set.cfg.Ports.FTP, err = b.place(m)
	return set, err
}

func portsIn(p []byte) (ports []int) {
	if !bytes.HasPrefix(p, []byte("2")) {
		return nil
	}
	number := func(text []byte) int {
		n, err := strconv.Atoi(string(text))
		if err != nil {
			return 0
		}
		return n
	}
	for _, m := range passivePort.FindAllSubmatch(p, -1) {
		if len(m[1]) > 0 {
			ports = append(ports, number(m[1]))
		} else {
			ports = append(ports, number(m[2])<<8|number(m[3]))
		}
	}
	return ports
}
