package ftpx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// mostListingMemory bounds the resident size of a process that is shown a folder without
// measure.
const mostListingMemory = 256 << 20

// listingChildEnv has the test binary be a program that lists, and measures itself.
const listingChildEnv = "FTPX_TEST_LISTING"

// listingOrder is what it lists, listingSeen what came of it.
type (
	listingOrder struct {
		Protocol ftpx.Protocol
		Port     int
		HostKey  string
		Folder   bool // as the source of a job
		Local    string
	}
	listingSeen struct {
		Entries int
		TooLong bool
		Err     string
		Peak    int64
	}
)

func init() {
	if text := os.Getenv(listingChildEnv); text != "" {
		seen, err := listingChild(text)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		_ = json.NewEncoder(os.Stdout).Encode(seen)
		os.Exit(0)
	}
}

func listingChild(text string) (seen listingSeen, err error) {
	var o listingOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return seen, err
	}
	ctx := context.Background()
	c, err := ftpx.New(ctx, ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{
		Password: "p", Protocols: []ftpx.Protocol{o.Protocol}, AllowPlaintext: true, Ports: ftpx.Ports{SFTP: o.Port, FTP: o.Port},
		SSH: transport.SSH{HostKeyFingerprints: []string{o.HostKey}},
	}})
	if err != nil {
		return seen, err
	}
	defer c.Close()
	if o.Folder {
		_, err = folder.Download(ctx, c, ".", o.Local, &folder.Options{DryRun: true})
	} else {
		for _, lerr := range c.List(ctx, ".") {
			if err = lerr; err == nil {
				seen.Entries++
			}
		}
	}
	if seen.TooLong = errors.Is(err, transport.ErrListingTooLong); err != nil {
		seen.Err = err.Error()
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return seen, err
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	if fields := bytes.Fields(rest); len(fields) > 0 {
		kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
		seen.Peak = kib << 10
	}
	return seen, nil
}

// TestPeakOfAListing: five million entries keep the whole process under 256 MiB, or end with
// an error that has a type, over MLSD, LIST and READDIR, listed or copied. It takes half a
// minute, and the race detector takes memory of its own: .ci/run asks for it beside that.
func TestPeakOfAListing(t *testing.T) {
	const entries = 5_000_000
	if os.Getenv("FTPX_SWEEP") == "" {
		t.Skip("set FTPX_SWEEP=more")
	}
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		p     ftpx.Protocol
		serve func(e *endless) func(net.Conn)
	}{
		{"MLSD", ftpx.FTP, func(e *endless) func(net.Conn) { return e.ftp(nil, false, true) }},
		{"LIST", ftpx.FTP, func(e *endless) func(net.Conn) { return e.ftp(nil, false, false) }},
		{"READDIR", ftpx.SFTP, func(e *endless) func(net.Conn) { return e.ssh(key.Signer) }},
	} {
		for _, job := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, job %v", tt.name, job), func(t *testing.T) {
				e := &endless{each: entries}
				e.listen(t, tt.serve(e))
				order, err := json.Marshal(listingOrder{Protocol: tt.p, Port: e.port, HostKey: ssh.FingerprintSHA256(key.Signer.PublicKey()), Folder: job, Local: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), listingChildEnv+"="+string(order))
				out, err := cmd.CombinedOutput()
				var seen listingSeen
				if err == nil {
					err = json.Unmarshal(out, &seen)
				}
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				if !seen.TooLong && (seen.Err != "" || seen.Entries != entries) {
					t.Errorf("neither listed nor refused with a type: %+v", seen)
				}
				if seen.Peak > mostListingMemory {
					t.Errorf("%d MiB at most, the bound is %d", seen.Peak>>20, mostListingMemory>>20)
				}
				t.Logf("%d entries: peak %d MiB, %d listed, %s", entries, seen.Peak>>20, seen.Entries, seen.Err)
			})
		}
	}
}
