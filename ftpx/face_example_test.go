package ftpx_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// The password comes from wherever passwords are kept, and is asked for once more when a
// server refuses it, since it may have been replaced.
func ExampleOptions_credentials() {
	srv, stop := demo(ftpx.SFTP)
	defer stop()
	opts := srv.Options()
	vault := []ftpx.Secret{"last week's", ftpx.Secret(srv.Password)}
	opts.Password = ""
	opts.Credentials = func(ctx context.Context, r ftpx.CredentialRequest) (ftpx.Credential, error) {
		fmt.Println("asked for", r.User, "on", r.Host, "- refused before:", r.Refused != nil)
		password := vault[0]
		vault = vault[1:]
		return ftpx.Credential{Password: password}, nil
	}
	c, err := ftpx.Open(context.Background(), srv.URL(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	// Output:
	// asked for user on 127.0.0.1 - refused before: false
	// asked for user on 127.0.0.1 - refused before: true
}

// When the first host is gone, the transfer goes to the second, which is another server
// with a login and a host key of its own.
func ExampleStandby() {
	primary, stopPrimary := demo(ftpx.SFTP)
	defer stopPrimary()
	standby, stopStandby := demo(ftpx.SFTP)
	defer stopStandby()
	other := standby.Options()
	opts := primary.Options()
	opts.Standbys = []ftpx.Standby{{Host: "127.0.0.1", Ports: other.Ports, User: standby.User, Password: other.Password, SSH: &other.SSH}}

	ctx := context.Background()
	c, err := ftpx.Open(ctx, primary.URL(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	primary.Down()
	if _, err := c.Put(ctx, "report.csv", strings.NewReader("a,b\n"), nil); err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile(standby.Root + "/report.csv")
	fmt.Printf("%q %v\n", data, err)
	// Output: "a,b\n" <nil>
}

// A file is read where it is: here its end, without fetching the rest.
func ExampleClient_open() {
	c, stop := connected()
	defer stop()
	ctx := context.Background()
	if _, err := c.Put(ctx, "big.log", strings.NewReader(strings.Repeat("tick\n", 100_000)+"the end\n"), nil); err != nil {
		log.Fatal(err)
	}

	f, err := c.Open(ctx, "big.log")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(-8, io.SeekEnd); err != nil {
		log.Fatal(err)
	}
	end, err := io.ReadAll(f)
	fmt.Printf("%s%v\n", end, err)
	// Output:
	// the end
	// <nil>
}

// What a program produces goes straight to the server. The file is there when Close says so.
func ExampleClient_create() {
	c, stop := connected()
	defer stop()
	ctx := context.Background()

	w, err := c.Create(ctx, "report.csv", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort(nil) // does nothing after Close
	table := csv.NewWriter(w)
	if err := table.WriteAll([][]string{{"quarter", "total"}, {"Q3", "42"}}); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err) // an *ftpx.Error, whose Outcome says whether it may be there
	}
	fmt.Println(w.Result().Outcome, w.Result().Size)
	// Output: done 20
}

// A part of a file.
func ExampleDownloader_Get_part() {
	c, stop := connected()
	defer stop()
	ctx := context.Background()
	if _, err := c.Put(ctx, "f", strings.NewReader("0123456789"), nil); err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	_, err := c.Get(ctx, "f", &b, &ftpx.GetOptions{Offset: 3, Length: 4})
	fmt.Println(b.String(), err)
	// Output: 3456 <nil>
}

// All files below a folder.
func ExampleTree() {
	c := ftpxtest.NewClient()
	defer c.Close()
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c.WriteFile("in/a.csv", []byte("a"), when)
	c.WriteFile("in/old/b.csv", []byte("bb"), when)
	for e, err := range ftpx.Tree(context.Background(), c, "in") {
		if err != nil {
			log.Fatal(err)
		}
		if e.Type == ftpx.TypeFile {
			fmt.Println(e.Path, e.Size)
		}
	}
	// Output:
	// in/a.csv 1
	// in/old/b.csv 2
}

// What went wrong decides what to do about it; in JSON it is in words.
func ExampleKindOf() {
	c := ftpxtest.NewClient()
	defer c.Close()
	c.FailNext("put", ftpxtest.Fault(ftpx.KindNoSpace))
	_, err := c.Put(context.Background(), "report.csv", strings.NewReader("a,b\n"), nil)
	switch ftpx.KindOf(err) {
	case ftpx.KindNoSpace, ftpx.KindQuota:
		fmt.Println("make room")
	case ftpx.KindAuth:
		fmt.Println("ask for another password")
	}
	var e *ftpx.Error
	if errors.As(err, &e) {
		text, _ := json.Marshal(e)
		fmt.Printf("%s\n", text)
	}
	fmt.Println(ftpx.KindOf(fs.ErrNotExist))
	// Output:
	// make room
	// {"op":"put","remote":"report.csv","outcome":"not done","kind":"disk full","error":"sftp test disk full: a fault of the test"}
	// not found
}

// Hooks tell what a client does: here each operation's start and end.
func ExampleHooks() {
	c := ftpxtest.NewClient(ftpxtest.WithOptions(ftpx.Options{Hooks: &ftpx.Hooks{
		Operation: func(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			return ctx, func(e ftpx.OperationEnd) { fmt.Println(i.Op, i.Remote, e.Result.Outcome) }
		},
	}}))
	defer c.Close()
	if _, err := c.Put(context.Background(), "note.txt", strings.NewReader("hello"), nil); err != nil {
		log.Fatal(err)
	}
	// Output:
	// open  done
	// put note.txt done
}
