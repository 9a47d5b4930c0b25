package sftpdriver

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A server that announces check-file is asked for parts, and what it answers is not
// taken for what it is not.
func TestCheckFile(t *testing.T) {
	data := randomBytes(100_000)
	lie := ""
	f := newFake(t, func(f *fake) {
		f.extensions["check-file"] = "md5,sha256"
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			if typ != fxpExtended || r.string() != "check-file-name" {
				return false
			}
			name, algo := r.string(), r.string()
			from, n := r.uint64(), r.uint64()
			if lie == "status" {
				s.status(id, fxOpUnsupported, "no")
				return true
			}
			if name != "f" || algo != "sha256" || from+n > uint64(len(data)) {
				s.status(id, fxNoSuchFile, "No such file")
				return true
			}
			sum := sha256.Sum256(data[from : from+n])
			if lie != "" {
				algo = lie
			}
			s.reply(fxpExtendedReply, id, append(putString(putString(nil, "check-file"), algo), sum[:]...))
			return true
		}
	})
	f.put("f", data)
	c := f.dial(nil)
	if caps := c.Info().Caps; !caps.HashRanges || !caps.HasHash("sha256") || caps.HasHash("sha1") {
		t.Fatalf("%+v", caps)
	}
	for _, r := range [][2]int64{{0, -1}, {5000, 20_000}} {
		part := data[r[0]:]
		if r[1] >= 0 {
			part = part[:r[1]]
		}
		want := sha256.Sum256(part)
		if got, err := c.Hash(t.Context(), "f", "sha256", r[0], r[1]); err != nil || !bytes.Equal(got, want[:]) {
			t.Error(r, err)
		}
	}
	_, err := c.Hash(t.Context(), "f", "sha1", 0, 10)
	wantKind(t, err, transport.KindUnsupported)
	lie = "md5"
	_, err = c.Hash(t.Context(), "f", "sha256", 0, 10)
	wantKind(t, err, transport.KindProtocol)

	lie = "status"
	c = f.dial(nil)
	_, err = c.Hash(t.Context(), "f", "sha256", 0, 10)
	wantKind(t, err, transport.KindUnsupported)
	if c.Info().Caps.HasHash("sha256") {
		t.Error("it is asked again for what it has refused")
	}
}
