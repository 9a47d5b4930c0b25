package upload

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// identitySample is how much of a source's head and tail goes into its identity.
const identitySample = 64 << 10

var sampleBuffers = sync.Pool{New: func() any { b := make([]byte, identitySample); return &b }}

// identify derives a source's identity from its size, its modification time to
// the second (which copies between machines keep), its head and its tail. A
// source that has changed gets another one, and with it another partial.
func identify(r io.ReaderAt, size int64, mtime time.Time) (string, error) {
	h := sha256.New()
	var fixed [16]byte
	binary.BigEndian.PutUint64(fixed[:8], uint64(size))
	if !mtime.IsZero() {
		binary.BigEndian.PutUint64(fixed[8:], uint64(mtime.Unix()))
	}
	h.Write(fixed[:])
	buf := sampleBuffers.Get().(*[]byte) // io.Copy would make one of 32 KiB for each small file
	defer sampleBuffers.Put(buf)
	if _, err := io.CopyBuffer(h, io.NewSectionReader(r, 0, min(size, identitySample)), *buf); err != nil {
		return "", err
	}
	if size > identitySample {
		from := max(identitySample, size-identitySample)
		if _, err := io.CopyBuffer(h, io.NewSectionReader(r, from, size-from), *buf); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// RandomIdentity is for sources that cannot be read twice.
func RandomIdentity() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

// MaxName is the longest name in bytes that common file systems take.
const MaxName = 255

// partialName names the partial of a destination for a source: hidden and with
// a suffix of its own, so that whoever polls the folder for finished files does
// not see it. It depends on nothing but its arguments, so that another process
// or machine finds the same. Generation rises when a partial must be left
// alone because a server's older session holds it. far says how it is written, see
// windowOf.
func partialName(dest, identity string, generation int, far bool) string {
	dir, base := path.Split(dest)
	tail := ".ftpx-" + partialID(dest, identity, far)
	if generation > 0 {
		tail += "-" + strconv.Itoa(generation)
	}
	return dir + "." + Clip(base, MaxName-1-len(tail)-len(".part")) + tail + ".part"
}

// partialID tells the source's content, its destination, and how the partial is written.
func partialID(dest, identity string, far bool) string {
	salt := nearSalt
	if far {
		salt = farSalt
	}
	sum := sha256.Sum256([]byte(identity + "\x00" + dest + "\x00" + salt))
	return hex.EncodeToString(sum[:8])
}

var partialTail = regexp.MustCompile(`^\.ftpx-[0-9a-f]{16}(-[0-9]+)?\.part$`)

// isPartialOf reports whether a name is that of a partial of any version of the
// file called base.
func isPartialOf(name, base string) bool {
	i := strings.LastIndex(name, ".ftpx-")
	return i > 1 && name[0] == '.' && partialTail.MatchString(name[i:]) &&
		name[1:i] == Clip(base, MaxName-1-(len(name)-i-len(".part"))-len(".part"))
}

// backupName names where a file is kept while another takes its place on a
// server that cannot replace in one step.
func backupName(dest, identity string) string {
	dir, base := path.Split(dest)
	sum := sha256.Sum256([]byte(identity + "\x00" + dest))
	tail := ".ftpx-" + hex.EncodeToString(sum[:8]) + ".bak"
	return dir + "." + Clip(base, MaxName-1-len(tail)) + tail
}

// Clip shortens a name to n bytes without cutting a character in two.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
