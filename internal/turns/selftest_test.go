package turns

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// A number that rises is named and stays; one that falls is named and replaces it.
func TestRatchetFallsAndNeverRises(t *testing.T) {
	golden := numbers{"ftp small up": {colTurns: 5, colCharset: 5}, "ftp folder up": {colTurns: 2}, "ftp login": {colElapsed: 4}}
	now := numbers{"ftp small up": {colTurns: 6, colCharset: 4}, "ftp folder up": {colTurns: 2.05}, "ftp login": {colElapsed: 4.6}, "ftp large up": {colTurns: 7}}
	risen, fallen, next := ratchet(golden, now)
	if want := []string{
		"ftp large up: turns is 7, and no golden number says what it may be",
		"ftp login: elapsed was 4 and is 4.6",
		"ftp small up: turns was 5 and is 6",
	}; !slices.Equal(risen, want) {
		t.Errorf("risen: %q", risen)
	}
	if want := []string{"ftp small up: charset was 5 and is 4"}; !slices.Equal(fallen, want) {
		t.Errorf("fallen: %q", fallen)
	}
	if r := next["ftp small up"]; r[colTurns] != 5 || r[colCharset] != 4 || next["ftp login"][colElapsed] != 4 || next["ftp large up"][colTurns] != 7 {
		t.Errorf("next: %v", next)
	}
}

// What is sent without waiting is one turn; what waits for an answer is two, also if
// the answer is to what was sent long before.
func TestControlRelayCountsWaiting(t *testing.T) {
	for _, tt := range []struct {
		name string
		say  func(say func(string), hear func())
		want string
	}{
		{"one write after the other", func(say func(string), hear func()) { say("A"); say("B"); hear(); hear() }, "1: A, B\n"},
		{"each waits", func(say func(string), hear func()) { say("A"); hear(); say("B"); hear() }, "1: A\n2: B\n"},
		{"two wait for the first", func(say func(string), hear func()) {
			say("A")
			say("B")
			hear()
			say("C")
			hear()
			say("D")
			hear()
			hear()
		}, "1: A, B\n2: C, D\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			check(t, err)
			defer l.Close()
			go func() { // answers each line by itself
				c, err := l.Accept()
				if err == nil {
					_, _ = io.Copy(c, c)
					c.Close()
				}
			}()
			m := &meter{}
			r := controlRelay(t, m, "127.0.0.1", l.Addr().String())
			c, err := net.Dial("tcp", r.listener.Addr().String())
			check(t, err)
			defer c.Close()
			lines := bufio.NewReader(c)
			tt.say(func(line string) {
				m.say(line)
				_, err := io.WriteString(c, line+"\n")
				check(t, err)
			}, func() {
				_, err := lines.ReadString('\n')
				check(t, err)
			})
			if got := transcript(m.end(func() {})); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// sftpStep is a request that leaves, or an answer that arrives.
type sftpStep struct {
	ask    byte // 0 for an answer
	id     uint32
	handle string
	length int
}

// For SFTP it is the answers' numbers that count, and a stream of payload is one turn
// as long as it does not stop while it is small.
func TestClockCountsSFTP(t *testing.T) {
	const open, closing, read, write = fxpOpen, fxpClose, fxpRead, fxpWrite
	for _, tt := range []struct {
		name  string
		steps []sftpStep
		want  string
	}{
		{"pipelined", []sftpStep{{ask: 17, id: 1}, {ask: open, id: 2}, {id: 1}, {id: 2}, {ask: closing, id: 3, handle: "h"}}, "1: STAT, OPEN for reading\n2: CLOSE\n"},
		{"waited for", []sftpStep{{ask: 17, id: 1}, {id: 1}, {ask: open, id: 2}, {id: 2}}, "1: STAT\n2: OPEN for reading\n"},
		{"the end of a stream waits for nothing", []sftpStep{
			{ask: write, id: 1, handle: "h", length: smallStream}, {ask: write, id: 2, handle: "h", length: smallStream}, {id: 1},
			{ask: write, id: 3, handle: "h", length: 1}, {ask: closing, id: 4, handle: "h"},
		}, "1: WRITE, CLOSE\n"},
		{"the end of a stream waits for it", []sftpStep{
			{ask: write, id: 1, handle: "h", length: 1}, {ask: write, id: 2, handle: "h", length: 1}, {id: 1}, {id: 2},
			{ask: closing, id: 4, handle: "h"},
		}, "1: WRITE\n2: CLOSE\n"},
		{"a small one that waits", []sftpStep{
			{ask: read, id: 1, handle: "h", length: 1}, {id: 1}, {ask: read, id: 2, handle: "h", length: 1}, {id: 2},
		}, "1: READ\n2: READ\n"},
		{"a large one that pauses", []sftpStep{
			{ask: read, id: 1, handle: "h", length: smallStream + 1}, {id: 1}, {ask: read, id: 2, handle: "h", length: 1}, {id: 2},
		}, "1: READ\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &meter{}
			c := m.open()
			for _, s := range tt.steps {
				if s.ask == 0 {
					c.told(0, s.id)
					continue
				}
				c.asks(0, packet{kind: s.ask, id: s.id, texts: []string{s.handle}, length: s.length})
			}
			if got := transcript(m.end(func() {})); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// Names that differ from run to run are told apart by what they are for.
func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		"STOR job1/.turns.bin.ftpx-0123456789abcdef.part": "STOR part",
		"SIZE job1/turns.bin":                             "SIZE dest",
		"REST 2097152":                                    "REST",
		"OPTS UTF8 ON":                                    "OPTS UTF8",
		"PASS ****":                                       "PASS",
	} {
		if got := spoken(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	p, err := readPacket(strings.NewReader("\x00\x00\x00\x22\xc8\x00\x00\x00\x07\x00\x00\x00\x05fsync\x00\x00\x00\x10turns.bin.ftpx-1"), true)
	if err != nil || p.id != 7 || p.word() != "fsync part" {
		t.Errorf("%+v, %v", p, err)
	}
}

// What left before a measurement, and the pings at its end, do not count; what left
// together with either does.
func TestMeasurementHasEnds(t *testing.T) {
	m := &meter{}
	c := m.open()
	ask := func(kind byte, id uint32) { c.asks(0, packet{kind: kind, id: id}) }
	ask(fxpInit, 0)
	c.told(0, 0)
	ask(17, 1) // not answered when the measurement begins
	m.begin()
	ask(fxpOpen, 2)
	c.told(0, 1)
	c.told(0, 2)
	got := transcript(m.end(func() {
		ask(fxpClose, 3) // is still on its way when the call has returned
		ask(16, 4)
		c.told(0, 4)
		ask(16, 5)
	}))
	if want := "1: OPEN for reading\n2: CLOSE\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
