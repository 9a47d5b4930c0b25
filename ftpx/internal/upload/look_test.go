package upload

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// kinds are the types of the requests of a batch.
func kinds(b []transport.Request) string {
	s := ""
	for _, r := range b {
		switch r.(type) {
		case *transport.Stat:
			s += "?"
		case *transport.Store:
			s += "S"
		case *transport.Retrieve:
			s += "R"
		case *transport.Rename:
			s += "N"
		default:
			s += "."
		}
	}
	return s
}

// A large upload asks for its two names in the batch that sends it, and gives it its name
// in it too; a small one asks for nothing before. Until the host was seen to mean a rename, the
// new name is looked at in it.
func TestOneBatch(t *testing.T) {
	for size, want := range map[int]string{10: "S?N?", resumeWorth: "?S?N?", sameWorth: "??S?N?"} {
		synctest.Test(t, func(t *testing.T) {
			data := bytes.Repeat([]byte("x"), size)
			u := newUpload(t, data, func(s *Spec) { s.SkipSame = true })
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				if err := u.attempt(ctx, l); err != nil {
					t.Error(err)
				}
			})
			if len(conn.batches) != 1 || kinds(conn.batches[0]) != want || !bytes.Equal(conn.files["dest"], data) || len(conn.files) != 1 {
				t.Errorf("%d bytes: %d batches, %s; want %s", size, len(conn.batches), kinds(conn.batches[0]), want)
			}
			if !u.commit.done || u.commit.begun || u.part.confirmed != int64(size) || !u.res.Verified.Size {
				t.Errorf("%+v", u)
			}
		})
	}
}
