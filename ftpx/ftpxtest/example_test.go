package ftpxtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// A transfer over a line that is reset every 2 MiB. In a test, NewServer(t,
// ftpx.SFTP) stands for Start and Close.
func Example() {
	srv, err := ftpxtest.Start(ftpx.SFTP)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx := context.Background()
	client, err := ftpx.Open(ctx, srv.URL(), srv.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	srv.ResetAfter(2 << 20)
	data := bytes.Repeat([]byte("payload "), 1<<20)
	res, err := client.Put(ctx, "big.bin", bytes.NewReader(data), nil)
	if err != nil {
		log.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(srv.Root, "big.bin"))
	fmt.Println(res.Outcome, res.Attempts > 1, bytes.Equal(got, data), err)
	// Output: done true true <nil>
}

// archive is code under test: it takes a client, and does not care which.
func archive(ctx context.Context, c ftpx.Client, name string) error {
	if err := c.MkdirAll(ctx, "archive"); err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	return c.Rename(ctx, name, "archive/"+name)
}

func ExampleNewClient() {
	c := ftpxtest.NewClient()
	defer c.Close()
	ctx := context.Background()
	c.WriteFile("report.csv", []byte("a,b\n"), time.Now())

	c.FailNext("mkdir", fs.ErrPermission)
	err := archive(ctx, c, "report.csv")
	fmt.Println(errors.Is(err, fs.ErrPermission), c.Calls("rename"))

	err = archive(ctx, c, "report.csv")
	data, _ := c.ReadFile("archive/report.csv")
	fmt.Printf("%v %q\n", err, data)
	// Output:
	// true 0
	// <nil> "a,b\n"
}
