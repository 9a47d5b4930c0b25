//go:build linux && realserver

package realserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// login opens a session of any kind and returns the connection beneath it.
func login(t *testing.T, srv *realserver.Server) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", srv.Addr(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if srv.Kind == realserver.OpenSSH {
		c, chans, reqs, err := ssh.NewClientConn(conn, srv.Addr(), sshConfig(t, srv))
		if err != nil {
			t.Fatal(err)
		}
		client := ssh.NewClient(c, chans, reqs)
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if err := session.RequestSubsystem("sftp"); err != nil {
			t.Fatal(err)
		}
		return waiter{conn, client}
	}
	c := textproto.NewConn(conn)
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	ftpCommand(t, c, 331, "USER %s", srv.User)
	ftpCommand(t, c, 230, "PASS %s", srv.Password)
	return conn
}

// A waiter is a connection whose reads belong to an SSH client; reading it waits
// for that client's end.
type waiter struct {
	net.Conn
	client *ssh.Client
}

func (w waiter) Read([]byte) (int, error) {
	if err := w.client.Wait(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// wantEnd reads until the connection ends, which must be at once.
func wantEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	began := time.Now()
	_, err := io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("the session lived on: %v after %s", err, time.Since(began))
	}
}

func TestKillEndsSessionsAndRestartKeepsThePort(t *testing.T) {
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			sessions := []net.Conn{login(t, srv), login(t, srv)}
			if err := srv.Kill(); err != nil {
				t.Fatal(err)
			}
			for _, c := range sessions {
				wantEnd(t, c)
			}
			wantGone(t, srv)
			if err := srv.Kill(); err != nil {
				t.Error("second Kill:", err)
			}

			port := srv.Port
			if err := srv.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if srv.Port != port || !srv.Running() {
				t.Errorf("port %d, running %v; want port %d, running", srv.Port, srv.Running(), port)
			}
			again := login(t, srv)
			if err := srv.Restart(t.Context()); err != nil { // while it runs
				t.Fatal(err)
			}
			wantEnd(t, again)
			login(t, srv)
		})
	}
}

func TestStopEndsSessions(t *testing.T) {
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			session := login(t, srv)
			began := time.Now()
			if err := srv.Stop(); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("took %s: SIGTERM did not do", took)
			}
			wantEnd(t, session)
			wantGone(t, srv)
		})
	}
}

// wantGone checks that nothing of the server listens or runs.
func wantGone(t *testing.T, srv *realserver.Server) {
	t.Helper()
	if conn, err := net.Dial("tcp", srv.Addr()); err == nil {
		conn.Close()
		t.Errorf("%s still accepts connections", srv.Addr())
	}
	if srv.Running() {
		t.Error("Running is true")
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			realtest.Require(t, kind)
			srv, err := realserver.Start(t.Context(), realserver.Options{Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			login(t, srv)
			for range 2 {
				if err := srv.Close(); err != nil {
					t.Fatal(err)
				}
			}
			wantGone(t, srv)
			if _, err := os.Stat(filepath.Dir(srv.Root)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the folder is still there: %v", err)
			}
			if err := srv.Restart(t.Context()); !errors.Is(err, os.ErrClosed) {
				t.Errorf("Restart after Close: %v", err)
			}
		})
	}
}

// TestSharedRoot runs two servers on one folder, as fail-over pairs do.
func TestSharedRoot(t *testing.T) {
	root := realtest.Folder(t)
	a := realtest.Start(t, realserver.Options{Kind: realserver.VSFTPD, Root: root})
	b := realtest.Start(t, realserver.Options{Kind: realserver.PureFTPd, Root: root, Listen: "127.0.0.2"})
	ca, err := ftpLogin(t.Context(), a, ftpTLS{})
	if err != nil {
		t.Fatal(err)
	}
	defer ca.Quit()
	if err := ca.Stor("shared", strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	cb, err := ftpLogin(t.Context(), b, ftpTLS{})
	if err != nil {
		t.Fatal(err)
	}
	defer cb.Quit()
	if size, err := cb.FileSize("shared"); size != 10 || err != nil {
		t.Errorf("size %d, %v on the second server; want 10", size, err)
	}
}

func TestStartFailureCarriesTheLog(t *testing.T) {
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			realtest.Require(t, kind)
			srv, err := realserver.Start(t.Context(), realserver.Options{Kind: kind, Extra: []string{"--no-such-setting"}})
			if err == nil {
				srv.Close()
				t.Fatal("started with a setting that does not exist")
			}
			if !strings.Contains(err.Error(), "no-such-setting") {
				t.Errorf("the error does not say what the server disliked: %v", err)
			}
		})
	}
}

func TestStartHonoursItsContext(t *testing.T) {
	realtest.Require(t, realserver.VSFTPD)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	srv, err := realserver.Start(ctx, realserver.Options{Kind: realserver.VSFTPD})
	if err == nil {
		srv.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want context.Canceled", err)
	}
}

// holdEnv makes the test binary a program that starts a server, prints its
// address and waits to be killed.
const holdEnv = "FTPX_TEST_HOLD"

func TestMain(m *testing.M) {
	kind := realserver.Kind(os.Getenv(holdEnv))
	if kind == "" {
		os.Exit(m.Run())
	}
	srv, err := realserver.Start(context.Background(), realserver.Options{Kind: kind})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(srv.Addr(), filepath.Dir(srv.Root))
	io.Copy(io.Discard, os.Stdin)
}

// TestServersDieWithTheProgram kills a program that has a server running.
func TestServersDieWithTheProgram(t *testing.T) {
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			realtest.Require(t, kind)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), holdEnv+"="+string(kind))
			stdin, err := cmd.StdinPipe() // held open
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var addr, dir string
			if _, err := fmt.Fscan(stdout, &addr, &dir); err != nil {
				cmd.Process.Kill()
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			cmd.Process.Kill()
			cmd.Wait()
			refused := false
			for deadline := time.Now().Add(5 * time.Second); !refused && time.Now().Before(deadline); {
				conn, err := net.Dial("tcp", addr)
				if refused = err != nil; !refused {
					conn.Close()
					time.Sleep(10 * time.Millisecond) // the kernel announces nothing to us here
				}
			}
			if !refused {
				t.Errorf("%s at %s outlived the program that started it", kind, addr)
			}
		})
	}
}
