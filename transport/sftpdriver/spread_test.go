package sftpdriver

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// channelRig is a connection on a line that is long as far as it knows, with channels
// that are open already. Its main session answers no write before the files of the
// channels have been opened.
type channelRig struct {
	f      *fake
	c      *client
	mu     sync.Mutex
	opened chan struct{}
	opens  int
	main   *fakeSession
	writes map[*fakeSession]int
	// onWrite decides about writes of the channels, onOpen about their opening; true:
	// dealt with.
	onWrite func(s *fakeSession, id uint32, offset uint64) bool
	onOpen  func(s *fakeSession, id uint32) bool
	// onClose decides about their closing, and onCut sees the main session's file being
	// cut. They are called without the lock.
	onClose func(s *fakeSession, id uint32) bool
	onCut   func()
	// holdsHello: a channel's SSH_FXP_INIT is answered when its OPEN has come.
	holdsHello bool
	// late: the channels are left to the transfer.
	late bool
}

func newChannelRig(t *testing.T, channels int, change ...func(*fake, *channelRig)) *channelRig {
	r := &channelRig{opened: make(chan struct{}), writes: map[*fakeSession]int{}}
	r.f = newFake(t, func(f *fake) {
		withLimits(f)
		for _, change := range change {
			change(f, r)
		}
		f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			switch {
			case typ == fxpInit && r.main == nil:
				r.main = s
			case typ == fxpInit && r.holdsHello:
				return true
			case typ == fxpOpen && s != r.main:
				if r.holdsHello {
					s.send(fxpVersion, binary.BigEndian.AppendUint32(nil, 3))
				}
				if r.opens++; r.opens == channels {
					defer close(r.opened)
				}
				return r.onOpen != nil && r.onOpen(s, id)
			case typ == fxpClose && s != r.main && r.onClose != nil:
				r.mu.Unlock()
				defer r.mu.Lock()
				return r.onClose(s, id)
			case typ == fxpFsetstat && s == r.main && r.onCut != nil:
				r.onCut()
			case typ == fxpWrite:
				r.writes[s]++
				if s == r.main {
					r.mu.Unlock()
					<-r.opened
					r.mu.Lock()
					return false
				}
				body.string()
				return r.onWrite != nil && r.onWrite(s, id, body.uint64())
			}
			return false
		}
	})
	r.c = r.f.dial(nil)
	farAway(t, r.c, channelsFrom)
	if r.late {
		return r
	}
	for range channels {
		r.c.extras.opening++
		r.c.openChannel()
	}
	if n := len(r.c.extras.pipes); n != channels {
		t.Fatalf("%d channels", n)
	}
	return r
}

// farAway makes a connection believe that its server is.
func farAway(t *testing.T, c *client, trip time.Duration) {
	if err := c.Ping(t.Context()); err != nil { // what was measured while connecting has come
		t.Fatal(err)
	}
	c.applyLimits()
	c.trip.Store(int64(trip))
}

// TestChannelsCarryOneFile, up and down.
func TestChannelsCarryOneFile(t *testing.T) {
	channelsCarryOneFile(t, newChannelRig(t, firstChannels-1))
}

// asOpenSSH is the version of a server that is taken for OpenSSH.
const asOpenSSH = "SSH-2.0-OpenSSH_9.9"

// TestChannelOpensBehindHello: on OpenSSH a channel's file is opened in the round trip in
// which the channel is.
func TestChannelOpensBehindHello(t *testing.T) {
	channelsCarryOneFile(t, newChannelRig(t, firstChannels-1, func(f *fake, r *channelRig) {
		f.config.ServerVersion, r.holdsHello, r.late = asOpenSSH, true, true
	}))
}

// TestChannelOpensWhileTheOthersWait: the file is opened on a channel as soon as the channel is
// there, also while all that may be under way is.
func TestChannelOpensWhileTheOthersWait(t *testing.T) {
	channelsCarryOneFile(t, newChannelRig(t, firstChannels-1, func(_ *fake, r *channelRig) { r.late = true }))
}

func channelsCarryOneFile(t *testing.T, r *channelRig) {
	const channels = firstChannels - 1
	data := randomBytes(18 << 20)
	n, err := r.c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
	if err != nil || n != int64(len(data)) || !bytes.Equal(r.f.get("f"), data) {
		t.Fatal(n, err)
	}
	if len(r.writes) != channels+1 {
		t.Errorf("written on %d sessions, want %d", len(r.writes), channels+1)
	}
	var out bytes.Buffer
	if n, err := r.c.Retrieve(t.Context(), "f", 0, &out, &transport.IO{Size: int64(len(data))}); err != nil || n != int64(len(data)) || !bytes.Equal(out.Bytes(), data) {
		t.Fatal(n, err)
	}
}

// TestTrap8ChannelRefusesAWrite: what is acknowledged without a gap counts, on however
// many sessions it travels, and the file is cut back to it.
func TestTrap8ChannelRefusesAWrite(t *testing.T) {
	r := newChannelRig(t, firstChannels-1)
	refused := int64(-1)
	r.onWrite = func(s *fakeSession, id uint32, offset uint64) bool {
		if refused >= 0 {
			return false
		}
		refused = int64(offset)
		s.status(id, fxFailure, "Failure")
		return true
	}
	data := randomBytes(18 << 20)
	n, err := r.c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
	wantKind(t, err, transport.KindTemporary)
	if n != refused || n == 0 || !bytes.Equal(r.f.get("f"), data[:n]) {
		t.Errorf("n = %d, refused at %d, the file holds %d bytes", n, refused, len(r.f.get("f")))
	}
	if !r.c.Usable() {
		t.Error("a refused write is no reason to give the connection up")
	}
}

// TestChannelLongHandle: a handle longer than the protocol's 256 bytes has no room in a
// packet. The channel that gets one is not used.
func TestChannelLongHandle(t *testing.T) {
	r := newChannelRig(t, firstChannels-1)
	r.onOpen = func(s *fakeSession, id uint32) bool {
		s.reply(fxpHandle, id, putString(nil, strings.Repeat("h", 200_000)))
		return true
	}
	data := randomBytes(18 << 20)
	n, err := r.c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
	if err != nil || n != int64(len(data)) || !bytes.Equal(r.f.get("f"), data) {
		t.Fatal(n, err)
	}
	if len(r.writes) != 1 {
		t.Errorf("written on %d sessions", len(r.writes))
	}
}

// TestChannelsRefused: a server that allows one session has one, and is not asked
// again and again.
func TestChannelsRefused(t *testing.T) {
	var asked atomic.Int32
	f := newFake(t, func(f *fake) {
		f.onChannel = func(nc ssh.NewChannel) bool {
			if asked.Add(1) == 1 {
				return false
			}
			_ = nc.Reject(ssh.ResourceShortage, "one session is enough")
			return true
		}
	})
	c := f.dial(nil)
	farAway(t, c, longTrip)
	c.extras.opening++
	c.openChannel()
	data := randomBytes(2*channelWorth + 1)
	if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))}); err != nil || n != int64(len(data)) || !bytes.Equal(f.get("f"), data) {
		t.Fatal(n, err)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d sessions were asked for, want the first and one more", n)
	}
}

// TestUnansweredAmongOthers: a request that is never answered does not hang because
// others on the connection are.
func TestUnansweredAmongOthers(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(_ *fakeSession, typ byte, _ uint32, r *reader) bool {
			return typ == fxpStat && r.string() == "never"
		}
	})
	f.put("f", []byte("x"))
	c := f.dial(func(ep *transport.Endpoint) { ep.Stall = 50 * time.Millisecond })
	done := make(chan error, 1)
	go func() { _, err := c.Stat(t.Context(), "never"); done <- err }()
	for {
		select {
		case err := <-done:
			wantKind(t, err, transport.KindStalled)
			return
		default:
			if _, err := c.Stat(t.Context(), "f"); err != nil && c.Usable() {
				t.Fatal(err)
			}
		}
	}
}

// TestRoundTripIsThatOfTheLine: the server's start of a session is not taken for the
// length of the line, on which channels would have more under way than it holds.
func TestRoundTripIsThatOfTheLine(t *testing.T) {
	f := newFake(t, func(f *fake) {
		withLimits(f)
		f.onPacket = func(_ *fakeSession, typ byte, _ uint32, _ *reader) bool {
			if typ == fxpInit {
				time.Sleep(2 * channelsFrom) // what starting a process takes
			}
			return false
		}
		f.onChannel = func(ssh.NewChannel) bool {
			time.Sleep(2 * channelsFrom)
			return false
		}
	})
	c := f.dial(nil)
	if first := c.Info().RoundTrip; first < channelsFrom {
		t.Fatalf("the test shows nothing: %v", first)
	}
	for range 5 {
		_, err := c.Stat(t.Context(), "missing")
		wantKind(t, err, transport.KindNotExist)
	}
	if trip := c.roundTrip(); trip >= channelsFrom {
		t.Errorf("%v", trip)
	}
}

// TestPrepareOpensChannels: what a large transfer will want on a long line is opened
// before it begins, and for no other.
func TestPrepareOpensChannels(t *testing.T) {
	for name, c := range map[string]struct {
		trip time.Duration
		size int64
		want int
	}{
		"near":    {trip: channelsFrom / 2, size: 1 << 30},
		"small":   {trip: longTrip, size: 1 << 20},
		"unknown": {trip: longTrip, size: -1},
		"middle":  {trip: channelsFrom, size: 12 << 20, want: 2},
		"large":   {trip: longTrip, size: 1 << 30, want: maxChannels - 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newChannelRig(t, 0)
			farAway(t, r.c, c.trip)
			r.c.prepareChannels(&transport.Store{Size: c.size})
			x := &r.c.extras
			x.mu.Lock()
			n := len(x.pipes) + x.opening
			x.mu.Unlock()
			if n != c.want {
				t.Errorf("%d channels besides the main one, want %d", n, c.want)
			}
		})
	}
}

// TestChannelOfAnotherFile: where the name has been given to another file since the main
// session opened it, nothing of that is taken, though it has the same size.
func TestChannelOfAnotherFile(t *testing.T) {
	for name, more := range map[string]int{"longer": 1, "of another time": 0} {
		t.Run(name, func(t *testing.T) {
			r := newChannelRig(t, firstChannels-1)
			data, other := randomBytes(18<<20), randomBytes(18<<20+more)
			r.f.put("f", data)
			r.f.put("another", other)
			r.onOpen = func(s *fakeSession, id uint32) bool {
				s.reply(fxpHandle, id, putString(nil, "another"))
				return true
			}
			held := r.f.onPacket
			r.f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
				if typ == fxpRead && s == r.main { // until the channels are there
					<-r.opened
				}
				if typ == fxpFstat && s != r.main {
					attrs := fileAttrs(len(other))
					attrs[len(attrs)-1]++
					s.reply(fxpAttrs, id, attrs)
					return true
				}
				return held(s, typ, id, body)
			}
			var out bytes.Buffer
			n, err := r.c.Retrieve(t.Context(), "f", 0, &out, &transport.IO{Size: int64(len(data))})
			if err != nil || n != int64(len(data)) || !bytes.Equal(out.Bytes(), data) {
				t.Fatalf("%d, %v: the content is right: %v", n, err, bytes.Equal(out.Bytes(), data))
			}
			r.f.await("CLOSE", r.f.packets("OPEN"))
			if opens := r.f.packets("OPEN"); opens != firstChannels {
				t.Errorf("%d opens", opens)
			}
		})
	}
}

// TestChannelThatDoesNotStart ends alone, and no more are asked for.
func TestChannelThatDoesNotStart(t *testing.T) {
	for _, version := range []string{"", asOpenSSH} {
		for _, says := range []string{"", "no more sessions today\n"} {
			t.Run(version+says, func(t *testing.T) {
				var asked atomic.Int32
				f := newFake(t, func(f *fake) {
					f.config.ServerVersion = version
					f.onChannel = func(nc ssh.NewChannel) bool {
						if asked.Add(1) == 1 {
							return false
						}
						ch, reqs, err := nc.Accept()
						if err != nil {
							return true
						}
						go func() {
							for r := range reqs {
								_ = r.Reply(true, nil)
								_, _ = ch.Write([]byte(says))
								_ = ch.Close()
							}
						}()
						return true
					}
				})
				c := f.dial(nil)
				farAway(t, c, longTrip)
				data := randomBytes(2*channelWorth + 1)
				for range 2 {
					if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))}); err != nil || n != int64(len(data)) || !bytes.Equal(f.get("f"), data) {
						t.Fatal(n, err)
					}
				}
				c.extras.mu.Lock()
				defer c.extras.mu.Unlock()
				if !c.Usable() || len(c.extras.pipes) > 0 || len(c.extras.opened) > 0 || len(c.extras.hailed) > 0 {
					t.Errorf("usable: %v, %+v", c.Usable(), c.extras.pipes)
				}
			})
		}
	}
}
