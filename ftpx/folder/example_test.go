package folder_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// reports makes a local folder with two reports.
func reports() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "reports-*")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"q3.csv", "q4.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("a,b\n"), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return dir, func() { os.RemoveAll(dir) }
}

// A folder goes up; the second run moves only what has changed.
func ExampleUpload() {
	dir, remove := reports()
	defer remove()
	c := ftpxtest.NewClient() // a program has ftpx.Open
	defer c.Close()
	ctx := context.Background()

	for range 2 {
		report, err := folder.Upload(ctx, c, dir, "in", &folder.Options{Include: []string{"*.csv"}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d copied, %d unchanged\n", report.Copied, report.Unchanged)
	}
	// Output:
	// 2 copied, 0 unchanged
	// 0 copied, 2 unchanged
}

// What the server no longer has is fetched by nobody, and what only the local folder has is
// deleted; a dry run says so first.
func ExampleDownload_mirror() {
	dir, remove := reports()
	defer remove()
	c := ftpxtest.NewClient()
	defer c.Close()
	ctx := context.Background()
	if _, err := folder.Upload(ctx, c, dir, "out", nil); err != nil {
		log.Fatal(err)
	}
	if err := c.Remove(ctx, "out/q3.csv"); err != nil {
		log.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		_, err := folder.Download(ctx, c, "out", dir, &folder.Options{Delete: true, DryRun: dry, OnItem: func(i folder.Item) {
			if i.Action != folder.Skip {
				fmt.Println(i, "-", i.Outcome)
			}
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// delete "q3.csv" (4 bytes): it is only there - not done
	// delete "q3.csv" (4 bytes): it is only there - done
}

// Each file is sent once, also when its receiver has taken it away since.
func ExampleOptions_ledger() {
	dir, remove := reports()
	defer remove()
	l, err := ledger.Open(filepath.Join(dir, ".sent.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	c := ftpxtest.NewClient()
	defer c.Close()
	ctx := context.Background()
	opts := &folder.Options{Exclude: []string{".*"}, Ledger: l, Once: true, Job: "reports"}
	for range 2 {
		report, err := folder.Upload(ctx, c, dir, "in", opts)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Copied, "copied")
		if err := c.RemoveAll(ctx, "in"); err != nil { // the receiver takes them
			log.Fatal(err)
		}
	}
	// Output:
	// 2 copied
	// 0 copied
}

// A manifest lets the receiver check what has arrived without trusting line or server.
func ExampleWriteManifest() {
	dir, remove := reports()
	defer remove()
	ctx := context.Background()
	var manifest bytes.Buffer
	if err := folder.WriteManifest(ctx, dir, &manifest); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "q4.csv"), []byte("other"), 0o600); err != nil {
		log.Fatal(err)
	}
	for path, err := range folder.CheckManifest(ctx, dir, strings.NewReader(manifest.String())) {
		fmt.Println(path, err)
	}
	// Output:
	// q3.csv <nil>
	// q4.csv the content is not what the manifest says
}
