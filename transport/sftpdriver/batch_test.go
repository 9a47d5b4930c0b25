package sftpdriver

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// inTurns makes a server that takes its requests in turns: it answers those of one turn
// when all of them have come. What waits for an answer within a turn waits for ever, and
// what comes in another turn than it should is noted. Each turn is a round trip.
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

// TestManyRequests: a batch may have any number of requests, and not all of them are
// under way at once.
func TestManyRequests(t *testing.T) {
	f := newFake(t, nil)
	f.put("f", []byte("hello"))
	c := f.dial(nil)
	b := &transport.Batch{}
	for i := range 1000 {
		if i%3 == 0 {
			b.Requests = append(b.Requests, &transport.Retrieve{Path: "f", Limit: 3, Dst: io.Discard})
		} else {
			b.Requests = append(b.Requests, &transport.Stat{Path: "f"})
		}
	}
	if err := c.Do(soon(t), b); err != nil {
		t.Fatal(err)
	}
	for i, q := range b.Requests {
		if stat, ok := q.(*transport.Stat); q.Common().Err != nil || ok && stat.Entry.Size != 5 {
			t.Fatalf("%d: %+v", i, q)
		}
	}
}

// TestLostWithABurstUnderWay: what has left and may have acted says so, what was
// answered is done, and what has not left is unsent.
func TestLostWithABurstUnderWay(t *testing.T) {
	f := newFake(t, func(f *fake) {
		n := 0
		f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
			if typ == fxpMkdir {
				if n++; n == 3 {
					_ = s.conn.Close()
				}
				return n >= 2
			}
			return false
		}
	})
	c := f.dial(nil)
	b := transport.NewBatch(&transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "b"}, &transport.Stat{Path: "x"}, &transport.Mkdir{Path: "c"},
		&transport.Mkdir{Head: transport.Head{If: func() bool { return true }}, Path: "d"})
	wantKind(t, c.Do(soon(t), b), transport.KindLost)
	if err := b.Requests[0].Common().Err; err != nil {
		t.Error(err)
	}
	for _, i := range []int{1, 3} {
		if te := wantKind(t, b.Requests[i].Common().Err, transport.KindLost); !te.MayHaveActed || te.Op != "SSH_FXP_MKDIR" {
			t.Errorf("%d: %+v", i, te)
		}
	}
	for _, i := range []int{2, 4} {
		if err := b.Requests[i].Common().Err; err != transport.ErrUnsent {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestConditionChangesWhatFollows: a condition may say what the requests behind it are
// about, also if one of them has left.
func TestConditionChangesWhatFollows(t *testing.T) {
	f := newFake(t, nil)
	f.put("long", bytes.Repeat([]byte("x"), 20))
	f.put("short", []byte("y"))
	c := f.dial(nil)
	var out bytes.Buffer
	get, next := &transport.Retrieve{Path: "long", Dst: &out}, &transport.Stat{Path: "long"}
	get.If = func() bool {
		get.Path, next.Path = "short", "short"
		return true
	}
	if err := c.Do(soon(t), transport.NewBatch(&transport.Stat{Path: "long"}, get, next)); err != nil || get.Err != nil || next.Err != nil {
		t.Fatal(err, get.Err, next.Err)
	}
	if out.String() != "y" || next.Entry.Size != 1 || next.Entry.Name != "short" {
		t.Errorf("%q, %+v", out.String(), next)
	}
	f.await("CLOSE", 2)
	var guessed bytes.Buffer
	put := &transport.Store{Path: "new", Src: io.TeeReader(bytes.NewReader([]byte("z")), &guessed)}
	put.If = func() bool { put.Path = "other"; return true }
	if err := c.Do(soon(t), transport.NewBatch(&transport.Stat{Path: "new"}, put)); err != nil || put.Err != nil {
		t.Fatal(err, put.Err)
	}
	names := f.names()
	slices.Sort(names)
	if string(f.get("other")) != "z" || !slices.Equal(names, []string{"long", "other", "short"}) {
		t.Errorf("%q", names)
	}
}

// TestLinksModesAndSpace in the bytes that OpenSSH expects, by themselves and in a burst.
func TestLinksModesAndSpace(t *testing.T) {
	var mu sync.Mutex
	var got []string
	f := newFake(t, func(f *fake) {
		f.extensions[statvfs] = "2"
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			mu.Lock()
			defer mu.Unlock()
			switch typ {
			case fxpSymlink:
				got = append(got, fmt.Sprintf("target %s, link %s", r.string(), r.string()))
				s.status(id, fxOK, "")
			case fxpReadlink:
				s.reply(fxpName, id, append(putString(putString(putUint32(nil, 1), "leads/here"), ""), 0, 0, 0, 0))
			case fxpSetstat:
				r.string()
				if r.uint32() == attrPerm {
					got = append(got, fmt.Sprintf("mode %o", r.uint32()))
				}
				s.status(id, fxOK, "")
			case fxpExtended:
				if r.string() != statvfs {
					return false
				}
				var b []byte
				blocks := uint64(1000)
				if r.string() == "huge" {
					blocks = 1 << 62
				}
				for _, n := range []uint64{65536, 4096, blocks, 300, 200, 0, 0, 0, 0, 0, 255} {
					b = binary.BigEndian.AppendUint64(b, n)
				}
				s.reply(fxpExtendedReply, id, b)
			default:
				return false
			}
			return true
		}
	})
	c := f.dial(nil)
	for _, together := range []bool{false, true} {
		got = nil
		make, read := &transport.Link{Path: "l", Make: true, Target: "to"}, &transport.Link{Path: "l"}
		mode, space, huge := &transport.SetMode{Path: "f", Mode: 0o102750}, &transport.Space{Path: "f"}, &transport.Space{Path: "huge"}
		batches := []*transport.Batch{transport.NewBatch(make, read, mode, space, huge)}
		if !together {
			batches = nil
			for _, q := range []transport.Request{make, read, mode, space, huge} {
				batches = append(batches, transport.NewBatch(q))
			}
		}
		for _, b := range batches {
			if err := c.Do(soon(t), b); err != nil {
				t.Fatal(err)
			}
		}
		if make.Err != nil || read.Err != nil || read.Target != "leads/here" || mode.Err != nil || space.Err != nil || huge.Err != nil {
			t.Errorf("%+v %+v %+v %+v %+v", make, read, mode, space, huge)
		}
		if space.Free != 200*4096 || space.Total != 1000*4096 || huge.Total != -1 || huge.Free != space.Free {
			t.Errorf("%+v %+v", space, huge)
		}
		if want := []string{"target to, link l", "mode 2750"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// A server that does not announce it is not asked.
	other := newFake(t, nil)
	oc := other.dial(nil)
	before := other.packets("")
	for _, q := range []transport.Request{&transport.Space{Path: "f"}, &transport.Raw{Line: "NOOP"}} {
		if err := oc.Do(soon(t), transport.NewBatch(q)); err != nil {
			t.Fatal(err)
		}
		wantKind(t, q.Common().Err, transport.KindUnsupported)
	}
	if other.packets("") != before {
		t.Error("something was sent")
	}
}

// TestContextBetweenRequests: what has been carried out stays so, and the connection of
// a batch that had nothing under way stays usable.
func TestContextBetweenRequests(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	ctx, cancel := context.WithCancel(t.Context())
	first, second, third := &transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "b"}, &transport.Mkdir{Path: "c"}
	second.If = func() bool { cancel(); return true }
	wantKind(t, c.Do(ctx, transport.NewBatch(first, second, third)), transport.KindCanceled)
	if te := wantKind(t, second.Err, transport.KindCanceled); te.MayHaveActed || first.Err != nil || third.Err != transport.ErrUnsent {
		t.Errorf("%v, %+v, %v", first.Err, te, third.Err)
	}
	if !c.Usable() || f.packets("MKDIR") != 1 {
		t.Errorf("usable: %v, %d packets", c.Usable(), f.packets("MKDIR"))
	}
}
