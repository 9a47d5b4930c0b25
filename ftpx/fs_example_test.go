package ftpx_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"text/template"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// Whatever reads from a file system of package io/fs reads from a server: here a
// walk, a line out of a large file, and templates.
func ExampleFiles_FS() {
	srv, err := ftpxtest.Start(ftpx.SFTP) // a program has a server instead
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	for name, text := range map[string]string{"a.log": "first line\nsecond line\n", "mail.tmpl": "Hello {{.}}\n"} {
		if err := os.WriteFile(filepath.Join(srv.Root, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}

	ctx := context.Background()
	c, err := ftpx.Open(ctx, srv.URL(), srv.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fsys := c.FS(ctx)

	err = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Println(p)
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	f, err := fsys.Open("a.log")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(line)

	t, err := template.ParseFS(fsys, "*.tmpl")
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Execute(os.Stdout, "world"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// a.log
	// mail.tmpl
	// first line
	// Hello world
}
