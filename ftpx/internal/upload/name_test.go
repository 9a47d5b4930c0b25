package upload

import (
	"bytes"
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestIdentityFollowsContent(t *testing.T) {
	base := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	when := time.Unix(1700000000, 0)
	id := func(b []byte, when time.Time) string {
		s, err := identify(bytes.NewReader(b), int64(len(b)), when)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := id(base, when)
	if id(base, when.Add(300*time.Millisecond)) != want {
		t.Error("a fraction of a second, which copies lose, changes the identity")
	}
	change := func(at int) []byte {
		b := bytes.Clone(base)
		b[at] ^= 1
		return b
	}
	for name, got := range map[string]string{
		"head":      id(change(0), when),
		"tail":      id(change(len(base)-1), when),
		"tail edge": id(change(len(base)-identitySample), when),
		"size":      id(base[:len(base)-1], when),
		"time":      id(base, when.Add(time.Second)),
	} {
		if got == want {
			t.Errorf("a change of the %s does not change the identity", name)
		}
	}
}

// Every byte of a source of up to two samples counts, and the last one of any.
func TestIdentityOfShortSources(t *testing.T) {
	for _, size := range []int{1, identitySample, identitySample + 1, 2*identitySample - 1, 2 * identitySample, 2*identitySample + 1} {
		b := make([]byte, size)
		was, err := identify(bytes.NewReader(b), int64(size), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, size / 2, size - 1} {
			b[at] = 1
			now, err := identify(bytes.NewReader(b), int64(size), time.Time{})
			if counts := at == size-1 || size <= 2*identitySample; err != nil || counts && now == was {
				t.Errorf("%d bytes: a change of byte %d does not change the identity: %v", size, at, err)
			}
			b[at] = 0
		}
	}
}

func TestPartialName(t *testing.T) {
	long := strings.Repeat("ä", 150) // 300 bytes
	for _, dest := range []string{"a.csv", "dir/a.csv", "/abs/a.csv", "dir/" + long} {
		a, b := partialName(dest, "id", 0, false), partialName(dest, "id", 1, false)
		if path.Dir(a) != path.Dir(dest) {
			t.Errorf("%s: the partial %s is in another folder", dest, a)
		}
		if a == b || a == partialName(dest, "other", 0, false) || a == partialName(dest+"x", "id", 0, false) || a == partialName(dest, "id", 0, true) {
			t.Errorf("%s: partials of different things share the name %s", dest, a)
		}
		for _, n := range []string{a, backupName(dest, "id")} {
			if base := path.Base(n); len(base) > MaxName || !utf8.ValidString(base) || base[0] != '.' {
				t.Errorf("%s: bad name %q of %d bytes", dest, base, len(base))
			}
		}
		if base := path.Base(dest); !isPartialOf(path.Base(a), base) || !isPartialOf(path.Base(b), base) ||
			isPartialOf(path.Base(backupName(dest, "id")), base) || isPartialOf(path.Base(a), "x"+base) || isPartialOf(base, base) {
			t.Errorf("%s: isPartialOf does not tell its partials", dest)
		}
		if a == backupName(dest, "id") {
			t.Errorf("%s: partial and backup share a name", dest)
		}
	}
}
