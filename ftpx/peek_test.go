package ftpx

import (
	"testing"
	"testing/synctest"
	"time"
)

type sizedSource struct {
	source
	n int64
}

func (s sizedSource) size() int64 { return s.n }

// TestBothLooksAtOnce: a large upload asks for its two names in one round trip where
// requests may overlap, and is told each answer once.
func TestBothLooksAtOnce(t *testing.T) {
	for overlap, want := range map[int]time.Duration{0: 200 * time.Millisecond, 8: 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := &shared{overlap: overlap, delay: 100 * time.Millisecond}
			l := &lease{site: &site{}, pooled: &pooled{Conn: &sharedConn{stubConn: stubConn{proto: SFTP, closed: make(chan struct{})}, s: s}}}
			u := &upload{mayBeThere: true, src: sizedSource{n: 2 << 20}, dest: "dest", partial: "partial"}
			begin := time.Now()
			u.peek(t.Context(), l)
			for range 2 {
				for _, name := range []string{"dest", "partial"} {
					if st, err := u.stat(t.Context(), l, name); err != nil || st.Name != name {
						t.Errorf("%s: %+v, %v", name, st, err)
					}
				}
				if took := time.Since(begin); took != want {
					t.Errorf("with an overlap of %d: %v, want %v", overlap, took, want)
				}
				want += 200 * time.Millisecond // the second time they are asked anew
			}
		})
	}
}
