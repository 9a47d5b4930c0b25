//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// files makes what is moved, once, and checks what has arrived.
type files struct {
	rig  *rig
	made map[string]bool
}

// one makes a file of random bytes at both sides and returns its name.
func (f *files) one(size int64) (string, error) {
	name := fmt.Sprintf("file-%d", size)
	return name, f.once(name, func(dir string) error {
		return writeRandom(filepath.Join(dir, name), size, uint64(size))
	})
}

// many makes a folder of n small files at both sides and returns its name.
func (f *files) many(n int, size int64) (string, error) {
	name := fmt.Sprintf("many-%d-%d", n, size)
	return name, f.once(name, func(dir string) error {
		dir = filepath.Join(dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for i := range n {
			if err := writeRandom(filepath.Join(dir, smallName(i)), size, uint64(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// empty makes a folder of n empty files on the server and returns its name.
func (f *files) empty(n int) (string, error) {
	name := fmt.Sprintf("list-%d", n)
	return name, f.once(name, func(dir string) error {
		if dir != f.rig.root {
			return nil
		}
		dir = filepath.Join(dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("entry-%07d.dat", i)), nil, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

func smallName(i int) string { return fmt.Sprintf("small-%06d.dat", i) }

// once makes something below the client's folder and below the server's.
func (f *files) once(name string, make func(dir string) error) error {
	if f.made[name] {
		return nil
	}
	for _, dir := range []string{f.rig.local, f.rig.root} {
		if err := make(dir); err != nil {
			return err
		}
	}
	if f.made == nil {
		f.made = map[string]bool{}
	}
	f.made[name] = true
	return nil
}

// writeRandom writes a file that the seed determines.
func writeRandom(name string, size int64, seed uint64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	_, err = io.CopyN(f, rand.NewChaCha8(key), size)
	return errors.Join(err, f.Close())
}

// same compares a file, or the files of a folder, byte by byte with the original.
// A folder must hold them and nothing else: no partials, no states.
func same(original, copied string, folder bool) error {
	if !folder {
		return sameFile(original, copied)
	}
	want, err := os.ReadDir(original)
	if err != nil {
		return err
	}
	got, err := os.ReadDir(copied)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d files have arrived of %d", len(got), len(want))
	}
	for _, e := range want {
		if err := sameFile(filepath.Join(original, e.Name()), filepath.Join(copied, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func sameFile(a, b string) error {
	fa, err := os.Open(a)
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return err
	}
	defer fb.Close()
	bufA, bufB := buffer(), buffer()
	defer giveBack(bufA)
	defer giveBack(bufB)
	for at := int64(0); ; {
		n, errA := io.ReadFull(fa, bufA[:])
		m, errB := io.ReadFull(fb, bufB[:])
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return fmt.Errorf("%s differs from its original at or after byte %d", b, at)
		}
		at += int64(n)
		if errA != nil || errB != nil {
			if errors.Is(errA, io.EOF) || errors.Is(errA, io.ErrUnexpectedEOF) {
				return nil
			}
			return errors.Join(errA, errB)
		}
	}
}
