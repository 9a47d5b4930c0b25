package faultsweep

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// mtime is the time of every source.
var mtime = time.Date(2025, 11, 3, 4, 5, 6, 0, time.UTC)

// content makes n bytes that no part of resembles another.
func content(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// scratch makes a folder, in memory where the system has one for that: a sweep
// makes thousands of files and asks for each to be synced.
func scratch() (string, error) {
	dir := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		dir = "/dev/shm"
	}
	return os.MkdirTemp(dir, "faultsweep-*")
}

func sourceFile(dir string, data []byte) (string, error) {
	name := filepath.Join(dir, "source.bin")
	return name, put(name, data)
}

// put writes a file with the sources' time.
func put(name string, data []byte) error {
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return err
	}
	return os.Chtimes(name, mtime, mtime)
}

// take returns a file's content, nil if there is none.
func take(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if b == nil && err == nil {
		b = []byte{}
	}
	return b, err
}

// names returns what is in a folder.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all, err
}
