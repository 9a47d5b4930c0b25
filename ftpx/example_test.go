package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// exampleServer starts servers for all protocols and returns the options to
// reach them. A program has a host name and a password instead.
func exampleServer() (*testserver.Trio, *ftpx.Options, func()) {
	root, err := os.MkdirTemp("", "ftpx-example-*")
	if err != nil {
		log.Fatal(err)
	}
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: root})
	if err != nil {
		log.Fatal(err)
	}
	opts := &ftpx.Options{
		Password: ftpx.Secret(trio.Password),
		Ports:    ftpx.Ports{SFTP: trio.SFTP.Addr().Port, FTP: trio.FTP.Port(), FTPSImplicit: trio.FTPS.Port()},
		SSH:      transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
		TLS:      transport.TLS{RootCAs: trio.CA.Pool()},
	}
	return trio, opts, func() {
		trio.Close()
		os.RemoveAll(root)
	}
}

func Example() {
	server, opts, stop := exampleServer()
	defer stop()
	ctx := context.Background()

	c, err := ftpx.Open(ctx, "ftpx://"+server.User+"@127.0.0.1/", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	local := server.Root + ".csv"
	if err := os.WriteFile(local, []byte("quarter,total\nQ3,42\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(local)

	res, err := c.Upload(ctx, local, "2026/report.csv", &ftpx.UploadOptions{CreateDirs: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v: %d bytes over %v, checked by %v\n", res.Outcome, res.Size, res.Protocol, res.Verified)
	// Output: done: 20 bytes over sftp, checked by size
}

func ExampleOpen_protocols() {
	server, opts, stop := exampleServer()
	defer stop()
	// FTPS first, then SFTP; never plain FTP.
	opts.Protocols = []ftpx.Protocol{ftpx.FTPS, ftpx.SFTP}
	opts.Hooks = &ftpx.Hooks{Protocol: func(_ context.Context, p ftpx.ProtocolInfo) {
		fmt.Println(p.Protocol, "chosen:", p.Chosen)
	}}
	c, err := ftpx.Open(context.Background(), "ftpx://"+server.User+"@127.0.0.1/", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	// Output: ftps chosen: true
}

func ExampleClient_put() {
	server, opts, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := ftpx.Open(ctx, "ftpx://"+server.User+"@127.0.0.1/", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	if _, err := c.Put(ctx, "note.txt", strings.NewReader("hello"), nil); err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := c.Get(ctx, "note.txt", &b, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.String())
	// Output: hello
}

func ExampleClient_list() {
	server, opts, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := ftpx.Open(ctx, "ftpx://"+server.User+"@127.0.0.1/", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	if _, err := c.Put(ctx, "in/a.txt", strings.NewReader("a"), &ftpx.PutOptions{CreateDirs: true}); err != nil {
		log.Fatal(err)
	}
	for e, err := range c.List(ctx, "in") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Name, e.Size)
	}
	// Output: a.txt 1
}

// Errors tell what went wrong in the words of the standard library.
func ExampleError() {
	server, opts, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := ftpx.Open(ctx, "ftpx://"+server.User+"@127.0.0.1/", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.Stat(ctx, "nothing-here")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	var e *ftpx.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, e.Remote, e.Outcome, ftpx.KindOf(err))
	}
	// Output:
	// true
	// stat nothing-here not done not found
}

// A line is added to a file. What cannot be known is not repeated.
func ExampleUploader_Put_append() {
	ctx := context.Background()
	server, opts, stop := exampleServer()
	defer stop()

	c, err := ftpx.Open(ctx, "ftpx://"+server.User+"@127.0.0.1/", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for _, line := range []string{"started\n", "stopped\n"} {
		res, err := c.Put(ctx, "events.log", strings.NewReader(line), &ftpx.PutOptions{Append: true})
		switch {
		case res.Outcome == ftpx.Unknown:
			log.Fatal("look at the file before this line is sent again: ", err)
		case err != nil:
			log.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := c.Get(ctx, "events.log", &b, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Print(b.String())
	// Output:
	// started
	// stopped
}
