package ftpdriver

import (
	"io"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRefusedRETRIsNoEntry: where SIZE says nothing of a name, and RETR, sent with it, is
// refused, the look is still to be taken: no entry is made of nothing.
func TestRefusedRETRIsNoEntry(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) { f.greeting = "220 (vsFTPd 3.0.3)" })
	c := dial(t, ep)
	stat := &transport.Stat{Path: "a"}
	get := &transport.Retrieve{Path: "a", Dst: io.Discard, Head: transport.Head{If: func() bool { return stat.Err != nil }}}
	if err := c.Do(t.Context(), transport.NewBatch(stat, get)); err != nil {
		t.Fatal(err)
	}
	if transport.KindOf(stat.Err) != transport.KindNotExist || transport.KindOf(get.Err) != transport.KindNotExist {
		t.Errorf("stat %+v, %v; get %v", stat.Entry, stat.Err, get.Err)
	}
}

// TestRefusalOfALostTransfer: a server that has no better word for the loss of a data
// connection than a refusal, as goftp's 551, has not refused the file.
func TestRefusalOfALostTransfer(t *testing.T) {
	for reply, want := range map[string]transport.Kind{"551 Error reading file": transport.KindLost, "550 Permission denied": transport.KindPermission} {
		came := make(chan struct{})
		ep, _ := startFake(t, transport.FTP, func(f *fake) {
			f.on["RETR"] = func(s *session, _ string) string {
				s.say("150 here it comes")
				conn := s.accept()
				_, _ = conn.Write([]byte("part of it"))
				<-came
				_ = s.raw.SetLinger(0)
				_ = conn.Close()
				return reply
			}
		})
		c := dial(t, ep)
		once := sync.OnceFunc(func() { close(came) })
		_, err := c.Retrieve(t.Context(), "f", 0, io.Discard, &transport.IO{Progress: func(int64) { once() }})
		if transport.KindOf(err) != want {
			t.Errorf("%s: %v", reply, err)
		}
	}
}
