package sftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// inTurns makes a server that takes its requests in turns: it answers those of one turn
// when all of them have come. What waits for an answer within a turn waits for ever, and
// what comes in another turn, or leaves in one write with what is of another turn, is
// noted. Each turn is a round trip.
func inTurns(f *fake, turns ...string) (over func(context.Context) []string) {
	done := make(chan struct{})
	type request struct {
		typ  byte
		id   uint32
		body []byte
	}
	var mu sync.Mutex
	var held []request
	var odd []string
	f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
		if typ == fxpInit {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		if len(turns) == 0 {
			odd = append(odd, "more: "+packetNames[typ])
			return false
		}
		held = append(held, request{typ, id, bytes.Clone(body.b)})
		var got []string
		for _, r := range held {
			got = append(got, packetNames[r.typ])
		}
		now := strings.Join(got, " ")
		switch want := turns[0]; {
		case now == want:
			if s.in.Buffered() > 0 {
				odd = append(odd, "more has left with "+want)
			}
		case strings.HasPrefix(want, now+" "):
			return true
		default:
			odd = append(odd, fmt.Sprintf("%q, want %q", now, want))
			turns = turns[:1]
		}
		for _, r := range held {
			s.handle(r.typ, r.id, &reader{b: r.body})
		}
		held = nil
		if turns = turns[1:]; len(turns) == 0 {
			close(done)
		}
		return true
	}
	return func(ctx context.Context) []string {
		select { // what nobody waits for may still be on its way
		case <-done:
		case <-ctx.Done():
		}
		mu.Lock()
		defer mu.Unlock()
		for _, want := range turns {
			odd = append(odd, "missing: "+want)
		}
		return odd
	}
}

// TestRoundTripsOfBatches: what the client sends takes so many round trips.
func TestRoundTripsOfBatches(t *testing.T) {
	data := randomBytes(100_000)
	src := func(n int) *bytes.Reader { return bytes.NewReader(data[:n]) }
	yes := func() bool { return true }
	at := time.Unix(1_400_000_000, 0)
	for _, tt := range []struct {
		name    string
		version string // of the server
		batch   func() []transport.Request
		turns   []string
	}{
		{name: "small upload", batch: func() []transport.Request {
			return []transport.Request{
				&transport.Store{Path: "p", Src: src(1000)}, &transport.SetTime{Path: "p", Time: at}, &transport.Stat{Path: "p"},
				&transport.Rename{Head: transport.Head{If: yes}, From: "p", To: "f", Replace: true},
			}
		}, turns: []string{"OPEN", "WRITE CLOSE SETSTAT STAT", "EXTENDED"}},
		{name: "small upload without a condition", batch: func() []transport.Request {
			return []transport.Request{
				&transport.Store{Path: "p", Src: src(1000)}, &transport.Stat{Path: "p"}, &transport.Rename{From: "p", To: "f"},
			}
		}, turns: []string{"OPEN", "WRITE CLOSE STAT RENAME"}},
		{name: "new upload", batch: func() []transport.Request {
			return []transport.Request{
				&transport.Stat{Path: "f"}, &transport.Stat{Path: "p"},
				&transport.Store{Head: transport.Head{If: yes}, Path: "p", Src: src(90_000), Size: 90_000},
				&transport.SetTime{Path: "p", Time: at}, &transport.Stat{Path: "p"},
				&transport.Rename{Head: transport.Head{If: yes}, From: "p", To: "f", Replace: true},
			}
		}, turns: []string{"STAT STAT OPEN", "WRITE WRITE WRITE", "CLOSE SETSTAT STAT", "EXTENDED"}},
		{name: "resumed upload", batch: func() []transport.Request {
			return []transport.Request{
				&transport.Retrieve{Path: "old", Offset: 90_000, Dst: io.Discard, Limit: 10_000},
				&transport.Store{Head: transport.Head{If: yes}, Path: "old", Offset: 100_000, Src: src(10)}, &transport.Stat{Path: "old"},
			}
		}, turns: []string{"OPEN", "FSTAT READ", "CLOSE OPEN", "WRITE", "CLOSE STAT"}},
		{name: "download", batch: func() []transport.Request {
			return []transport.Request{&transport.Stat{Path: "old"}, &transport.Retrieve{Head: transport.Head{If: yes}, Path: "old", Dst: io.Discard}}
		}, turns: []string{"STAT OPEN", "FSTAT READ READ READ READ", "CLOSE"}},
		{name: "ranges", batch: func() (all []transport.Request) {
			for i := range 4 {
				all = append(all, &transport.Retrieve{Path: "old", Offset: int64(i) * 7000, Limit: 5000, Dst: io.Discard})
			}
			return all
		}, turns: []string{"OPEN OPEN OPEN OPEN", "FSTAT READ FSTAT READ FSTAT READ FSTAT READ", "CLOSE CLOSE CLOSE CLOSE"}},
		{name: "stats", batch: func() (all []transport.Request) {
			for range 5 {
				all = append(all, &transport.Stat{Path: "old"})
			}
			return all
		}, turns: []string{"STAT STAT STAT STAT STAT"}},
		{name: "folders and removes", batch: func() []transport.Request {
			return []transport.Request{&transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "b"}, &transport.Remove{Path: "old"}, &transport.Rmdir{Path: "c"}}
		}, turns: []string{"MKDIR MKDIR REMOVE RMDIR"}},
		{name: "folders within folders", version: asOpenSSH, batch: func() []transport.Request {
			return []transport.Request{&transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "a/b"}, &transport.Store{Path: "a/b/c", Src: src(10)}, &transport.Remove{Path: "old"}}
		}, turns: []string{"MKDIR MKDIR OPEN", "WRITE CLOSE REMOVE"}},
		{name: "folders within folders on a server that may mix them up", batch: func() []transport.Request {
			return []transport.Request{&transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "a/b"}, &transport.Mkdir{Path: "a/c"}, &transport.Mkdir{Path: "/x"}}
		}, turns: []string{"MKDIR", "MKDIR MKDIR", "MKDIR"}},
		{name: "a condition stops what acts", batch: func() []transport.Request {
			return []transport.Request{&transport.Stat{Path: "old"}, &transport.Stat{Head: transport.Head{If: yes}, Path: "old"},
				&transport.Mkdir{Path: "a"}, &transport.Mkdir{Head: transport.Head{If: yes}, Path: "b"}, &transport.Mkdir{Path: "c"}}
		}, turns: []string{"STAT STAT", "MKDIR", "MKDIR MKDIR"}},
		{name: "what cannot be sent stops nothing", batch: func() []transport.Request {
			return []transport.Request{&transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "b\n"}, &transport.Raw{Line: "NOOP"}, &transport.Mkdir{Path: "c"}}
		}, turns: []string{"MKDIR MKDIR"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var over func(context.Context) []string
			f := newFake(t, func(f *fake) {
				f.config.ServerVersion = tt.version
				over = inTurns(f, tt.turns...)
			})
			f.put("old", data)
			batch := &transport.Batch{Requests: tt.batch()}
			if err := f.dial(nil).Do(soon(t), batch); err != nil {
				t.Fatal(err)
			}
			for _, s := range over(soon(t)) {
				t.Error(s)
			}
			for i, q := range batch.Requests {
				if err := q.Common().Err; err != nil && transport.KindOf(err) != transport.KindInvalid && transport.KindOf(err) != transport.KindUnsupported && transport.KindOf(err) != transport.KindNotExist {
					t.Errorf("request %d: %v", i, err)
				}
			}
		})
	}
}
