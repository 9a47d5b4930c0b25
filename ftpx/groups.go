package ftpx

import (
	"fmt"
	"time"
)

// Defaults of [Options].
const (
	// DefaultMaxConns is how many connections to a host a client opens at most.
	DefaultMaxConns = 8
	// DefaultMaxListing is how many bytes the entries of a listing may take.
	DefaultMaxListing = 128 << 20
	// DefaultHeadStart is how long a preferred protocol may stay silent before
	// the next one is tried concurrently.
	DefaultHeadStart = 500 * time.Millisecond
	// DefaultRecheckAfter is how long a chosen protocol is kept.
	DefaultRecheckAfter = 10 * time.Minute
)

// Ports are the ports of the protocols, 0 for a protocol's own.
type Ports struct {
	// SFTP is the SSH port, 22.
	SFTP int
	// FTP is the port of plain FTP, 21.
	FTP int
	// FTPS is the port of FTP with AUTH TLS; 0 means that of FTP.
	FTPS int
	// FTPSImplicit is the port of implicit FTPS, 990.
	FTPSImplicit int
}

func (p Ports) of(proto Protocol) int {
	switch proto {
	case SFTP:
		return p.SFTP
	case FTPSImplicit:
		return p.FTPSImplicit
	case FTPS:
		if p.FTPS != 0 {
			return p.FTPS
		}
	}
	return p.FTP
}

func (p Ports) check(field string) error {
	for name, port := range map[string]int{"SFTP": p.SFTP, "FTP": p.FTP, "FTPS": p.FTPS, "FTPSImplicit": p.FTPSImplicit} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("%s.%s is %d: use 1 to 65535, or 0 for the protocol's own", field, name, port)
		}
	}
	return nil
}

// Limits bound what a client uses of a server and of this machine, see [Options].
type Limits struct {
	// Conns is how many connections to a host may be open at once; 0 means 8.
	// Further operations wait. Small operations over SFTP share connections instead,
	// up to 128 on one: files of up to 256 KiB, and operations that move no file. If
	// the server accepts fewer connections, the client finds that out and stays
	// within the limit.
	Conns int
	// Transfers is how many transfers may run at once; further ones wait.
	// 0 means no limit.
	Transfers int
	// Rate is how many bytes of payload a second the client moves at most,
	// all transfers and both directions together; 0 means any number.
	Rate int64
	// Listing is how many bytes of memory the entries of a folder may take,
	// including those of its parent folders in a walk; 0 means 128 MiB, which is
	// some 800,000 entries. A longer listing fails with [ErrListingTooLong],
	// so that no server can use up the program's memory.
	Listing int64
}

func (l Limits) check() error {
	switch {
	case l.Conns < 0:
		return fmt.Errorf("Options.Limits.Conns is %d: use a positive number, or 0 for %d", l.Conns, DefaultMaxConns)
	case l.Transfers < 0 || l.Rate < 0:
		return fmt.Errorf("Options.Limits.Transfers is %d and Options.Limits.Rate is %d: use positive numbers, or 0 for no limit", l.Transfers, l.Rate)
	case l.Listing < 0:
		return fmt.Errorf("Options.Limits.Listing is %d: use a number of bytes, or 0 for %d", l.Listing, DefaultMaxListing)
	}
	return nil
}

// Timeouts say how long a client waits for a server, see [Options]. The context of a call
// bounds all of it.
type Timeouts struct {
	// Connect bounds dialling, handshakes and login of one attempt together; 0 means
	// 15 s.
	Connect time.Duration
	// Stall is how long an operation may go without a byte in either direction; 0
	// means 30 s, or 7 s with Standbys; negative means for ever.
	Stall time.Duration
	// MinRate is the lowest rate, in bytes a second averaged over one Stall, at which a
	// transfer is not stalled. 0 means 2, negative means any rate. A lower rate is a
	// server that keeps a dead transfer alive. The time that the caller's source or
	// destination takes does not count, nor does the time that a server takes to compute
	// a digest.
	MinRate int64
	// HeadStart is how long a protocol may stay silent before the next one is
	// tried concurrently; 0 means 500 ms. Plain FTP is never tried concurrently:
	// it waits until all others have failed.
	HeadStart time.Duration
	// RecheckAfter is how long a chosen protocol is kept before a new
	// connection looks for a better one; 0 means 10 minutes.
	RecheckAfter time.Duration
}

func (t Timeouts) check() error {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"Connect", t.Connect}, {"HeadStart", t.HeadStart}, {"RecheckAfter", t.RecheckAfter}} {
		if f.d < 0 {
			return fmt.Errorf("Options.Timeouts.%s is %v: use a positive duration, or 0 for the default", f.name, f.d)
		}
	}
	return nil
}

// FTPOptions are the settings for FTP and FTPS, see [Options]. SFTP ignores them, but for
// Type.
type FTPOptions struct {
	// Type says how files are moved: unchanged, or with [FTPTypeASCII] as text, for z/OS,
	// IBM i and other systems whose files are records in a character set of their own.
	// Text cannot be compared, because the server's file has another size than the local
	// one: uploads must set Delivery to DeliverDrop, and [Verified].Acknowledged is the
	// only check in both directions. Nothing is resumed: an interrupted transfer starts
	// again from the beginning, and a Get that has already written bytes fails. A folder
	// job takes files with different sizes for changed. FS reads files unchanged. SFTP has
	// no text: Protocols must not list it then.
	Type FTPType
	// AfterLogin are command lines that are sent after each login, such as
	// "SITE FILETYPE=SEQ" to z/OS. Commands that move data or change what a connection
	// relies on are refused, see [Files].Raw; a server that refuses one is not used.
	AfterLogin []string
	// ActiveAddr switches to active mode, in which the server connects to this machine
	// for each transfer: an IP address and a port, such as "192.0.2.1:0", or ":0" for the
	// control connection's own address and any port. It cannot be combined with Dial. ""
	// means passive mode, which works through firewalls.
	ActiveAddr string
	// ListZone is the time zone of LIST, for servers that have no MLSD and show local
	// time; nil means UTC. Times of MLSD, MDTM and SFTP are always in UTC. On vsftpd it
	// is the zone of use_localtime.
	ListZone *time.Location
}
