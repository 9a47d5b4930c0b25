package conformance

import (
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// flavour is a pretended server.
type flavour struct {
	name     string
	protocol transport.Protocol
	options  memconn.Options
	only     []string // cases that it makes a difference to, nil for all
}

var flavours = []flavour{
	{name: "sftp", protocol: transport.SFTP},
	{name: "ftps", protocol: transport.FTPS},
	{name: "openssh", protocol: transport.SFTP, options: memconn.Options{Vague: true}, only: refusals},
	{name: "vsftpd", protocol: transport.FTP, options: memconn.Options{Vague: true}, only: refusals},
	{name: "pure-ftpd", protocol: transport.FTP, options: memconn.Options{CutCosts: true}, only: cuts},
	// It can do everything, so that every case has something to test.
	able,
	{name: "hashing whole files", protocol: transport.FTPS, options: memconn.Options{Caps: &transport.Caps{Hashes: []string{"sha256", "md5"}}}, only: abilities},
	{name: "poor", protocol: transport.SFTP, options: memconn.Options{Caps: &transport.Caps{}}, only: abilities},
}

var able = flavour{
	name: "able", protocol: transport.FTPSImplicit, only: abilities,
	options: memconn.Options{Caps: &transport.Caps{
		ReplaceOnRename: true, SetTime: true, ExactTimes: true, Truncate: true, HashRanges: true,
		Hashes: []string{"sha512", "sha256", "sha1", "md5", "crc32"},
	}},
}

var (
	abilities = []string{"Info", "Stat", "RenameReplaces", "Chtimes", "Truncate", "Hash", "HostilePaths", "CanceledBefore", "UseAfterClose"}
	cuts      = []string{"StoreSourceFails", "RetrieveLimit", "RetrieveSinkFails"}
	refusals  = []string{"Info", "StoreMissingFolder", "Mkdir", "Rmdir", "RenameReplaces", "Sequence"}
)

// start returns a way to open connections to a pretended server, and options
// that fit.
func (f flavour) start() (func(T) transport.Conn, Options) {
	s := memconn.New(f.options)
	s.Files().MkdirAll("forbidden")
	s.Files().Write("unreadable", []byte("secret"), s.Files().ModTime("/"))
	s.Inject(func(op memconn.OpInfo) memconn.Fault {
		forbidden := op.Path == "unreadable"
		for _, p := range []string{op.Path, op.To} {
			forbidden = forbidden || strings.HasPrefix(p, "forbidden/")
		}
		if op.Step == memconn.StepRequest && forbidden {
			return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
		}
		return memconn.Fault{}
	})
	open := func(t T) transport.Conn {
		t.Helper()
		c, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: f.protocol, Host: "memory"})
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		return c
	}
	return open, Options{Forbidden: "forbidden", Unreadable: "unreadable", Sent: func() int64 { return int64(s.Stats().Ops) }}
}

func TestMemconn(t *testing.T) {
	for _, f := range flavours {
		t.Run(f.name, func(t *testing.T) {
			open, opts := f.start()
			run(tester{t}, open, opts, f.only...)
		})
	}
}
