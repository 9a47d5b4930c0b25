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

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// demo starts a server for an example. A program has a URL and a password instead.
func demo(protocols ...ftpx.Protocol) (srv *ftpxtest.Server, stop func()) {
	srv, err := ftpxtest.Start(protocols...)
	if err != nil {
		log.Fatal(err)
	}
	return srv, func() { srv.Close() }
}

// connected is demo with a client.
func connected() (c ftpx.Client, stop func()) {
	srv, end := demo()
	c, err := ftpx.Open(context.Background(), srv.URL(), srv.Options())
	if err != nil {
		log.Fatal(err)
	}
	return c, func() { c.Close(); end() }
}

func Example() {
	srv, stop := demo()
	defer stop()
	ctx := context.Background()

	c, err := ftpx.Open(ctx, srv.URL(), srv.Options()) // "ftpx://user@files.example.com/", &ftpx.Options{Password: ...}
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	local := srv.Root + ".csv"
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
	srv, stop := demo()
	defer stop()
	opts := srv.Options()
	// FTPS first, then SFTP; never plain FTP.
	opts.Protocols = []ftpx.Protocol{ftpx.FTPS, ftpx.SFTP}
	opts.Hooks = &ftpx.Hooks{Protocol: func(_ context.Context, p ftpx.ProtocolInfo) {
		fmt.Println(p.Protocol, "chosen:", p.Chosen)
	}}
	c, err := ftpx.Open(context.Background(), srv.URL(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	// Output: ftps chosen: true
}

func ExampleUploader_Put() {
	c, stop := connected()
	defer stop()
	ctx := context.Background()

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

func ExampleFiles_List() {
	c, stop := connected()
	defer stop()
	ctx := context.Background()

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
	c, stop := connected()
	defer stop()
	ctx := context.Background()

	_, err := c.Stat(ctx, "nothing-here")
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
	c, stop := connected()
	defer stop()
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
