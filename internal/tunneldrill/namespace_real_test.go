//go:build linux && realserver

package tunneldrill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The servers run in a network namespace that has a loopback device of its own
// and nothing else, so that no packet of the test gets to them. Within, this test
// binary runs once more. Its parent hands it three listening sockets, which stay
// in the namespace they were made in, as sockets do: what is accepted there comes
// from outside, what is dialled goes inside. Behind one is a SOCKS5 proxy, behind
// one a CONNECT proxy, and the third leads to the sshd that is the jump host.

// insideEnv makes a process of this test binary the one in the namespace.
const insideEnv = "FTPX_TUNNEL_INSIDE"

func init() {
	if os.Getenv(insideEnv) == "" {
		return
	}
	if err := serveInside(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// insideServer is a server of the namespace.
type insideServer struct {
	Kind       realserver.Kind
	Protocol   uint8 // a transport.Protocol, which reads no JSON
	Port       int
	User       string
	Password   string
	CAFile     string
	KnownHosts string
	HostKeys   []string // fingerprints
}

// outside is what the test knows of the namespace.
type outside struct {
	jump    insideServer
	servers []insideServer
	doors   [3]string // addresses of the proxies and the jump host
}

// enterNamespace starts the servers in a namespace that ends with the test.
func enterNamespace(t *testing.T) outside {
	t.Helper()
	realtest.Require(t, realserver.Kinds()...)
	var out outside
	var files []*os.File
	for i := range out.doors {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		out.doors[i] = l.Addr().String()
		f, err := l.(*net.TCPListener).File()
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	var said strings.Builder
	cmd.Stderr = &said
	// It ends at the end of its input, which comes with the end of this process
	// at the latest.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		if os.Getenv(realtest.RequireEnv) != "1" && errors.Is(err, syscall.EPERM) {
			t.Skipf("no network namespace can be made here: %v", err)
		}
		t.Fatalf("make a network namespace: %v", err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the process in the namespace: %v\n%s", err, said.String())
		}
	})
	var all []insideServer
	if err := json.NewDecoder(stdout).Decode(&all); err != nil {
		t.Fatalf("the process in the namespace did not start its servers: %v", err)
	}
	out.jump, out.servers = all[0], all[1:]
	return out
}

// serveInside is the process in the namespace.
func serveInside() (err error) {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bring up the loopback device: %w", err)
	}
	var running []*realserver.Server
	defer func() {
		for _, s := range running {
			err = errors.Join(err, s.Close())
		}
	}()
	var all []insideServer
	start := func(p transport.Protocol, opt realserver.Options) error {
		s, err := realserver.Start(context.Background(), opt)
		if err != nil {
			return err
		}
		running = append(running, s)
		is := insideServer{Kind: s.Kind, Protocol: uint8(p), Port: s.Port, User: s.User, Password: s.Password,
			CAFile: s.CAFile, KnownHosts: s.KnownHosts}
		for _, k := range s.HostKeys() {
			is.HostKeys = append(is.HostKeys, ssh.FingerprintSHA256(k))
		}
		all = append(all, is)
		return nil
	}
	for range 2 { // the jump host, and the server
		if err := start(transport.SFTP, realserver.Options{Kind: realserver.OpenSSH}); err != nil {
			return err
		}
	}
	for _, kind := range realserver.FTPKinds() {
		if err := start(transport.FTP, realserver.Options{Kind: kind}); err != nil {
			return err
		}
		// Pure-FTPd cannot demand that data connections resume the session.
		secure := realserver.Options{Kind: kind, TLS: realserver.TLSRequired, RequireReuse: kind != realserver.PureFTPd}
		if err := start(transport.FTPS, secure); err != nil {
			return err
		}
	}
	if err := openDoors(running[0].Addr()); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// openDoors serves the three listening sockets until the process ends.
func openDoors(jump string) error {
	for i, handle := range []func(net.Conn){
		func(c net.Conn) {
			(&testserver.SOCKSProxy{User: "user", Password: secret}).Serve(context.Background(), c)
		},
		func(c net.Conn) {
			(&testserver.ConnectProxy{User: "user", Password: secret}).Serve(context.Background(), c)
		},
		func(c net.Conn) {
			up, err := net.Dial("tcp", jump)
			if err == nil {
				testserver.Splice(c, up, c)
			}
		},
	} {
		l, err := net.FileListener(os.NewFile(uintptr(3+i), "door"))
		if err != nil {
			return err
		}
		go serve(l, handle)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return err
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}
