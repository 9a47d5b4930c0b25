package doctor

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// longestEvent bounds a line of a log; a longer one is passed over.
	longestEvent = 64 << 10
	// fewest losses make a pattern.
	fewest = 3
	// alike is how far values of a pattern may be from their median, as a share of it.
	alike = 0.1
	// shortIdle is no idle time: less is the pause between two files.
	shortIdle = 5 * time.Second
	// oneMoment is within what losses of several connections are one event.
	oneMoment = 2 * time.Second
)

// Losses are the lost connections of one host by one protocol, in a log of package
// ftpx/ftpxslog, and what they have in common.
type Losses struct {
	// Host is as configured, Protocol as in the log.
	Host     string `json:"host"`
	Protocol string `json:"protocol"` // see above
	// Lost counts connections that were reset, closed or silent, Closed all that ended.
	Lost   int `json:"lost"`
	Closed int `json:"closed"` // see above
	// First and Last are when the first and the last was lost.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"` // see above
	// Pattern is what they have in common: "idle", "age", "bytes", "moment", or "" for nothing.
	Pattern string `json:"pattern,omitempty"`
	// Fingerprint says it in a sentence, with the likely cause.
	Fingerprint string `json:"fingerprint"`
	// Code is the check that says what to do; "" for none.
	Code string `json:"code,omitempty"`
}

// ended is a record of a connection that has ended.
type ended struct {
	Time   time.Time `json:"time"`
	Msg    string    `json:"msg"`
	Kind   string    `json:"error.kind"`
	Server struct {
		Host     string `json:"host"`
		Protocol string `json:"protocol"`
		Addr     string `json:"addr"`
	} `json:"server"`
	Conn struct {
		InUse    bool          `json:"in_use"`
		Age      time.Duration `json:"age"`
		Idle     time.Duration `json:"idle"`
		Sent     int64         `json:"sent"`
		Received int64         `json:"received"`
	} `json:"conn"`
}

// connectionEnded is the message of such records.
const connectionEnded = "connection closed"

// ReadEvents reads a log in JSON lines, as slog.JSONHandler writes what ftpx/ftpxslog logs at
// level Debug, and returns the losses by host and protocol, most first. Lines of other
// programs and lines that are no JSON are passed over. A log without a single record of a
// connection's end is an error: it is not of level Debug, or not such a log.
func ReadEvents(r io.Reader) ([]Losses, error) {
	type key struct{ host, protocol string }
	all := map[key][]ended{}
	closed := map[key]int{}
	lines := bufio.NewReaderSize(r, longestEvent)
	records := 0
	for {
		line, err := lines.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			for err == bufio.ErrBufferFull { // too long: its rest too
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		}
		if e, ok := endedIn(line); ok {
			records++
			k := key{cmp.Or(e.Server.Host, e.Server.Addr), e.Server.Protocol}
			closed[k]++
			if lostKind(e.Kind) {
				all[k] = append(all[k], e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if records == 0 {
		return nil, fmt.Errorf("no record %q: log at level Debug, as JSON, with the hooks of package ftpxslog", connectionEnded)
	}
	out := []Losses{}
	for k, list := range all {
		slices.SortFunc(list, func(a, b ended) int { return a.Time.Compare(b.Time) })
		l := Losses{Host: transport.Printable(k.host), Protocol: transport.Printable(k.protocol), Lost: len(list), Closed: closed[k], First: list[0].Time, Last: list[len(list)-1].Time}
		l.Pattern, l.Code, l.Fingerprint = fingerprint(list)
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Losses) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Protocol, b.Protocol))
	})
	return out, nil
}

func endedIn(line []byte) (e ended, ok bool) {
	if !bytes.Contains(line, []byte(connectionEnded)) { // most lines: not worth a parser
		return e, false
	}
	if json.Unmarshal(line, &e) != nil || e.Msg != connectionEnded {
		return e, false
	}
	return e, true
}

func lostKind(kind string) bool {
	return kind == transport.KindLost.String() || kind == transport.KindStalled.String() || kind == transport.KindTruncated.String()
}

// fingerprint finds what losses have in common. Idle time comes first: what is cut after an
// hour without a word has an age of an hour too.
func fingerprint(list []ended) (pattern, code, text string) {
	n := len(list)
	if n < fewest {
		return "", "", fmt.Sprintf("%d lost, too few to tell why", n)
	}
	var idle, age []time.Duration
	var moved []int64
	for _, e := range list {
		if !e.Conn.InUse {
			idle = append(idle, e.Conn.Idle)
		}
		age = append(age, e.Conn.Age)
		moved = append(moved, e.Conn.Sent+e.Conn.Received)
	}
	if m, ok := common(idle); ok && len(idle) >= fewest && len(idle) > n/2 && m >= shortIdle {
		return "idle", "idle-cut", fmt.Sprintf("%d of %d after about %s without a word: a load balancer, a firewall or the server ends idle connections", len(idle), n, took(m))
	}
	if list[n-1].Time.Sub(list[0].Time) <= oneMoment {
		return "moment", "", fmt.Sprintf("all %d at %s: the server or the line was restarted", n, list[0].Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if m, ok := common(age); ok && m >= shortIdle {
		return "age", "", fmt.Sprintf("%d of %d at an age of about %s: something limits how long a session may be", n, n, took(m))
	}
	if m, ok := common(moved); ok && m > 0 {
		return "bytes", "", fmt.Sprintf("%d of %d after about %s: a firewall that inspects, or a quota", n, n, bytesText(m))
	}
	return "", "tcp-loss", fmt.Sprintf("%d at different ages, idle times and sizes: a bad line, or a server under load", n)
}

// common is the median of values that are nearly all alike: nine of ten are.
func common[T ~int64](values []T) (T, bool) {
	if len(values) < fewest {
		return 0, false
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	m := sorted[len(sorted)/2]
	near := 0
	for _, v := range sorted {
		if d := float64(v - m); d <= alike*float64(m) && -d <= alike*float64(m) {
			near++
		}
	}
	return m, near*10 >= len(sorted)*9
}

// WriteLosses writes them as a person reads it.
func WriteLosses(w io.Writer, all []Losses) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no connection was lost")
		return err
	}
	for _, l := range all {
		if _, err := fmt.Fprintf(w, "%s %s: %d of %d connections lost, %s to %s\n", l.Protocol, l.Host, l.Lost, l.Closed,
			l.First.UTC().Format("2006-01-02 15:04"), l.Last.UTC().Format("2006-01-02 15:04 UTC")); err != nil {
			return err
		}
		see := ""
		if l.Code != "" {
			see = " (ftpx doctor --explain " + l.Code + ")"
		}
		if _, err := fmt.Fprintf(w, "  %s%s\n", l.Fingerprint, see); err != nil {
			return err
		}
	}
	return nil
}
