package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// What a job did is on disk, and one process has it open at a time.
func Example() {
	dir, err := os.MkdirTemp("", "ledger-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "sent.db")
	l, err := ledger.Open(name, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	data := []byte("a,b\n")
	hash, err := ledger.Hash(bytes.NewReader(data), int64(len(data)), true)
	if err != nil {
		log.Fatal(err)
	}
	err = l.Record(ledger.Entry{Job: "reports", Path: "q3.csv", Source: ledger.Identity{Size: int64(len(data)), Hash: hash}, Verified: "size"})
	if err != nil {
		log.Fatal(err)
	}
	e, found, err := l.Lookup("reports", "q3.csv")
	fmt.Println(found, e.Source.Size, e.Source.Hash == hash, e.Verified, err)

	_, err = ledger.Open(name, nil)
	fmt.Println(errors.Is(err, ledger.ErrLocked))
	// Output:
	// true 4 true size <nil>
	// true
}
