package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	small   = 256 << 10 // the largest of the many
	largest = 4 << 20   // of the few
	deep    = 24        // the most folders one in the other
)

// words are what names are made of. ProFTPD refuses "*" in the name of a folder.
var words = []string{
	"report", "größe", "žluťoučký kůň", "日本語", "ファイル", "العربية", "עברית", "Ελληνικά", "кириллица", "한국어", "ไทย", "हिन्दी",
	"two  spaces", ".hidden", "-rf", "--", "~", "quote\"'`", "semi;colon&", "[brackets]{braces}", "100%41", "#hash", "a=b", "emoji 🚀",
	"e\u0301", "comma,dot.", "x.part", "UPPER", "$HOME", "(1)", "what?", "pipe|", "back\\slash",
}

// makeTree makes a tree of n files and returns its bytes. The same seed makes the same.
func makeTree(dir string, n int, seed uint64) (total int64, err error) {
	r := rand.New(rand.NewPCG(seed, 20000))
	folders := []string{dir}
	depth := map[string]int{dir: 0}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for i := range n/20 + deep {
		parent := folders[r.IntN(len(folders))]
		if i < deep {
			parent = folders[len(folders)-1] // one long way down
		}
		if depth[parent] >= deep {
			continue
		}
		name := filepath.Join(parent, oddName(r, i))
		if err := os.Mkdir(name, 0o755); err != nil {
			return 0, err
		}
		// Every tenth beyond the first ones stays empty.
		if i < deep || i%10 != 9 {
			folders = append(folders, name)
			depth[name] = depth[parent] + 1
		}
	}
	content := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	base := time.Date(2019, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		data := make([]byte, fileSize(r, i))
		_, _ = content.Read(data)
		name := filepath.Join(folders[r.IntN(len(folders))], oddName(r, i)+".f")
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return 0, err
		}
		when := base.Add(time.Duration(r.IntN(5*365*24*3600)) * time.Second)
		if err := os.Chtimes(name, when, when); err != nil {
			return 0, err
		}
		total += int64(len(data))
	}
	return total, nil
}

// oddName is a name that no other entry has, whatever it is made of.
func oddName(r *rand.Rand, i int) string {
	return fmt.Sprintf("%s %d", words[r.IntN(len(words))], i)
}

func fileSize(r *rand.Rand, i int) int {
	switch {
	case i%13 == 12:
		return 0
	case i%600 == 599:
		return small + r.IntN(largest-small)
	}
	return int(math.Exp(math.Pow(r.Float64(), 1.2) * math.Log(small)))
}

// sameTree compares two trees: names, kinds, bytes, and files' times to the second.
func sameTree(want, got string) error {
	a, err := entries(want)
	if err != nil {
		return err
	}
	b, err := entries(got)
	if err != nil {
		return err
	}
	var wrong []error
	for name, w := range a {
		g, ok := b[name]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("%q is missing", name))
		case w.IsDir() != g.IsDir():
			wrong = append(wrong, fmt.Errorf("%q is of another kind", name))
		case w.IsDir():
		case w.ModTime().Unix() != g.ModTime().Unix():
			wrong = append(wrong, fmt.Errorf("%q is of %v, want %v", name, g.ModTime().UTC(), w.ModTime().UTC()))
		case !sameBytes(filepath.Join(want, name), filepath.Join(got, name)):
			wrong = append(wrong, fmt.Errorf("%q holds other bytes: %d, want %d", name, g.Size(), w.Size()))
		}
	}
	for name := range b {
		if a[name] == nil {
			wrong = append(wrong, fmt.Errorf("%q should not be there", name))
		}
	}
	return few(wrong)
}

// few joins the first errors, and says how many there are.
func few(wrong []error) error {
	if len(wrong) == 0 {
		return nil
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return fmt.Errorf("%d entries differ: %w", len(wrong), errors.Join(wrong[:min(5, len(wrong))]...))
}

func entries(dir string) (map[string]fs.FileInfo, error) {
	found := map[string]fs.FileInfo{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		found[rel], err = d.Info()
		return err
	})
	return found, err
}

func sameBytes(a, b string) bool {
	x, errX := os.ReadFile(a)
	y, errY := os.ReadFile(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
