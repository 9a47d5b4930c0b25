package testserver_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestCutLineIsNoCommand: what a lost connection has left of a line is not carried out.
func TestCutLineIsNoCommand(t *testing.T) {
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer trio.Close()
	if err := os.WriteFile(filepath.Join(trio.Root, "f"), []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	conn := dialTCP(t, trio.FTP.Addr().String())
	r := bufio.NewReader(conn)
	say := func(line string) {
		if _, err := io.WriteString(conn, line); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(line, err)
		}
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	say(fmt.Sprintf("USER %s\r\n", trio.User))
	say(fmt.Sprintf("PASS %s\r\n", trio.Password))
	say("RNFR f\r\n")
	if _, err := io.WriteString(conn, "RNTO half of a na"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, r) // until the server has ended
	if _, err := os.Stat(filepath.Join(trio.Root, "f")); err != nil {
		t.Errorf("it was renamed: %v", err)
	}
}
