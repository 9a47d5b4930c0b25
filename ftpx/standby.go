package ftpx

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// standbyStall is the default of Timeouts.Stall when there are standbys: the time until a
// black hole is noticed is most of what a failover takes.
const standbyStall = 7 * time.Second

// Standby is a host to fail over to when the ones before it do not work.
type Standby struct {
	// Host is a name or an address, without port.
	Host string
	// Ports replaces the protocols' own ports on this host. The zero value
	// means those of [Options].
	Ports Ports
	// Rank is the order of failover: a lower Rank comes first. 0 means the place in the
	// list, starting at 1, so the list is the order by default. Hosts of equal Rank are
	// ordered by how likely their next connection fails, see package forecast; work does
	// not return from one of them to another.
	Rank int
	// User and Password replace those of [Config] if either is given; a User
	// without a Password has none.
	User string
	// Password is that of User, or of Config.User on this host.
	Password Secret
	// SSH replaces all of [Options].SSH on this host, including keys, agent and known
	// hosts. nil means Options.SSH.
	SSH *SSH
	// TLS replaces all of [Options].TLS on this host, including authorities, certificates
	// and ServerName. nil means Options.TLS.
	TLS *TLS
}

// ranked returns standbys by rank, each with the one that it has.
func ranked(list []Standby) []Standby {
	list = slices.Clone(list)
	for i := range list {
		list[i].Rank = orDefault(list[i].Rank, i+1)
	}
	slices.SortStableFunc(list, func(a, b Standby) int { return cmp.Compare(a.Rank, b.Rank) })
	return list
}

// HostsError says that none of several hosts could be used, and why.
type HostsError struct {
	// Hosts are the hosts that were tried, in order.
	Hosts []string
	// Errs holds one error for each of Hosts.
	Errs []error
}

// Error names what was tried and why it failed.
func (e *HostsError) Error() string {
	var b strings.Builder
	b.WriteString("no host could be used:")
	for i, h := range e.Hosts {
		if i > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(&b, " %s: %v", h, e.Errs[i])
	}
	return b.String()
}

// Unwrap returns the reason of each host.
func (e *HostsError) Unwrap() []error { return e.Errs }

// ProtocolsError says that no protocol could be used, and why.
type ProtocolsError struct {
	// Tried holds the protocols in order.
	Tried []ProtocolInfo
	// PlaintextHeld says that plain FTP was listed but is not allowed.
	PlaintextHeld bool
	// Downgrade says that plain FTP is listed and allowed, and was held back
	// because a protocol that protects has worked on this host before.
	Downgrade bool
}

// Error names what was tried, why it failed, and what would allow more.
func (e *ProtocolsError) Error() string {
	var b strings.Builder
	b.WriteString("no protocol could be used:")
	for i, t := range e.Tried {
		if i > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(&b, " %v: %v", t.Protocol, t.Err)
	}
	if e.PlaintextHeld {
		b.WriteString("; ftp: not tried, because it shows password and files to anyone on the way: set Options.AllowPlaintext to permit it")
	}
	if e.Downgrade {
		b.WriteString("; ftp: not tried, because a protected protocol has worked on this host before, and what is in its way now may be an attack: open a new client if the server has given it up")
	}
	return b.String()
}

// Unwrap returns the reason of each protocol.
func (e *ProtocolsError) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, t := range e.Tried {
		errs[i] = t.Err
	}
	return errs
}
