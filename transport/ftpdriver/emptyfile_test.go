package ftpdriver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestEmptyFileWithoutHandshake: goftp closes the data connection of an empty file without
// a word of TLS. That is the file if a look has said that it is empty, and else none.
func TestEmptyFileWithoutHandshake(t *testing.T) {
	for _, size := range []string{"0", "5"} {
		ep, _ := startFake(t, transport.FTPS, func(f *fake) {
			f.feat = []string{"MLST type*;size*;"}
			f.on["MLST"] = always("250-Begin\r\n type=file;size=" + size + "; f\r\n250 End.")
			f.on["RETR"] = func(s *session, _ string) string {
				s.say("150 here it comes")
				s.accept()
				_ = s.raw.Close()
				return "226 done"
			}
		})
		c := dial(t, ep)
		var got bytes.Buffer
		get := &transport.Retrieve{Path: "f", Dst: &got}
		_ = c.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "f"}, get))
		if (get.Err == nil) != (size == "0") || get.Received != 0 || got.Len() != 0 {
			t.Errorf("size %s: %d bytes, %v", size, get.Received, get.Err)
		}
	}
}

// TestHashOfAnEmptyFile: X commands serve for it too, without a range.
func TestHashOfAnEmptyFile(t *testing.T) {
	sum := sha256.Sum256(nil)
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"SIZE", "XSHA256"}
		f.files["f"] = nil
		f.on["XSHA256"] = always("250 " + hex.EncodeToString(sum[:]))
	})
	c := dial(t, ep)
	got, err := transport.Calls{Conn: c}.Hash(t.Context(), "f", "sha256", 0, -1)
	if err != nil || !bytes.Equal(got, sum[:]) {
		t.Errorf("%x, %v: %q", got, err, f.got())
	}
}
