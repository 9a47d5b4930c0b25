package sftpdriver

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestConditionStopsWhatActs, and nothing of what is behind a condition that is not met
// has left.
func TestConditionStopsWhatActs(t *testing.T) {
	f := newFake(t, nil)
	f.put("old", nil)
	c := f.dial(nil)
	no := func() bool { return false }
	b := transport.NewBatch(&transport.Stat{Path: "old"}, &transport.Stat{Head: transport.Head{If: no}, Path: "old"}, &transport.Mkdir{Path: "a"}, &transport.Stat{Path: "old"})
	if err := c.Do(soon(t), b); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(soon(t)); err != nil {
		t.Fatal(err)
	}
	for i, q := range b.Requests {
		if want := map[bool]error{true: transport.ErrSkipped}[i > 0]; q.Common().Err != want {
			t.Errorf("%d: %v", i, q.Common().Err)
		}
	}
	if n := f.packets("MKDIR"); n != 0 {
		t.Error("it has left")
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

// TestLinksModesAndSpace in the bytes that servers expect, by themselves and in a burst.
func TestLinksModesAndSpace(t *testing.T) {
	for version, order := range map[string]string{"": "to, l", "SSH-2.0-AsyncSSH_2.10.1": "l, to"} {
		t.Run(version, func(t *testing.T) { linksModesAndSpace(t, version, order) })
	}
}

func linksModesAndSpace(t *testing.T, version, order string) {
	var mu sync.Mutex
	var got []string
	f := newFake(t, func(f *fake) {
		f.config.ServerVersion = version
		f.extensions[statvfs] = "2"
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			mu.Lock()
			defer mu.Unlock()
			switch typ {
			case fxpSymlink:
				got = append(got, r.string()+", "+r.string())
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
		if want := []string{order, "mode 2750"}; !slices.Equal(got, want) {
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
