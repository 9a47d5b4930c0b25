package upload

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Over SFTP several writes are under way, and those behind one that was lost may have arrived:
// an append goes on where the acknowledged bytes end, however right the end of the file is.
func TestAppendGoesOnBeforeHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := make([]byte, 200<<10)
		for i := range data {
			data[i] = byte(i>>8) + byte(i) | 1
		}
		const acked, arrived = 50 << 10, 150 << 10
		old := []byte("what was there")
		there := append(bytes.Clone(old), data[:arrived]...)
		clear(there[len(old)+acked : len(there)-joinLength])
		conn := &disk{proto: transport.SFTP, caps: transport.Caps{WriteWindow: 2 << 20}, files: map[string][]byte{"dest": there}}
		u := newUpload(t, data, nil)
		a := &appending{env: u.env, spec: u.spec, src: fixed{bytes.NewReader(data)}, before: int64(len(old)), most: arrived, acked: acked, begun: true}
		err := sessionOf(t, conn).Run(t.Context(), session.Task{}, func(ctx context.Context, l *session.Lease) error { return a.again(ctx, l) })
		if err != nil || a.res.Moved != int64(len(data)-acked) || a.res.Verified == (transfer.Verified{}) {
			t.Errorf("%+v, %v", a.res, err)
		}
		if got := conn.files["dest"]; !bytes.Equal(got, append(old, data...)) {
			t.Errorf("the file has %d bytes, with a hole", len(got))
		}
	})
}
