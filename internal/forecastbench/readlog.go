package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// longestLine is the most bytes of a line: a log is somebody's word.
const longestLine = 1 << 20

// readLog reads a history of attempts to connect, in either form, line by line:
//
//	2026-11-30T22:15:04Z failed files.example.com sftp
//	{"time":"2026-11-30T22:15:04Z","msg":"connect failed","server":{"host":"files.example.com","protocol":"sftp"},"error.kind":"timed out"}
//
// In the first, a time is RFC 3339 or seconds since 1970, the outcome "ok" or "failed" (or
// 0 and 1), host and protocol may be missing, and lines that begin with # are comments.
// The second is what package ftpxslog writes at level Debug with slog's JSON handler;
// other messages are skipped, and so are failures that say nothing of the line or the
// host: a refused login, a caller that gave up. Each host and protocol is a trace of its
// own, sorted by time.
func readLog(r io.Reader) ([]trace, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), longestLine)
	found := map[string]trace{}
	var order []string
	for n := 1; lines.Scan(); n++ {
		series, a, ok, err := readLine(strings.TrimSpace(lines.Text()))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !ok {
			continue
		}
		if found[series] == nil {
			order = append(order, series)
		}
		found[series] = append(found[series], a)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(order) == 0 {
		return nil, errors.New(`no attempts to connect: write lines "TIME ok" and "TIME failed", or log with package ftpxslog at level Debug as JSON`)
	}
	var all []trace
	for _, series := range order {
		t := found[series]
		slices.SortStableFunc(t, func(a, b attempt) int { return a.at.Compare(b.at) })
		all = append(all, t)
	}
	return all, nil
}

func readLine(line string) (series string, a attempt, ok bool, err error) {
	switch {
	case line == "" || line[0] == '#':
		return "", attempt{}, false, nil
	case line[0] == '{':
		return readJSON(line)
	}
	words := strings.Fields(line)
	if len(words) < 2 || len(words) > 4 {
		return "", attempt{}, false, fmt.Errorf("%d words: write TIME OUTCOME [HOST [PROTOCOL]]", len(words))
	}
	if a.at, err = readTime(words[0]); err != nil {
		return "", attempt{}, false, err
	}
	switch words[1] {
	case "ok", "0":
	case "failed", "1":
		a.failed = true
	default:
		return "", attempt{}, false, fmt.Errorf("outcome %.40q: write ok or failed", words[1])
	}
	return strings.Join(words[2:], " "), a, true, nil
}

func readTime(word string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, word); err == nil {
		return t, nil
	}
	s, err := strconv.ParseFloat(word, 64)
	if err != nil || !(math.Abs(s) < 1e11) {
		return time.Time{}, fmt.Errorf("time %.40q: write it as 2006-01-02T15:04:05Z, or as seconds since 1970", word)
	}
	return time.UnixMilli(int64(math.Round(s * 1000))).UTC(), nil
}

// readJSON reads a record of package ftpxslog.
func readJSON(line string) (series string, a attempt, ok bool, err error) {
	var r struct {
		Time   time.Time
		Msg    string
		Server struct{ Host, Protocol string }
		Kind   string `json:"error.kind"`
	}
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		return "", attempt{}, false, fmt.Errorf("no JSON of package ftpxslog: %w", err)
	}
	switch r.Msg {
	case "connected":
	case "connect failed":
		if !counts(r.Kind) {
			return "", attempt{}, false, nil
		}
		a.failed = true
	default:
		return "", attempt{}, false, nil
	}
	if r.Time.IsZero() {
		return "", attempt{}, false, errors.New(`no field "time"`)
	}
	a.at = r.Time
	return r.Server.Host + " " + r.Server.Protocol, a, true, nil
}

// counts reports whether a kind of failure speaks of the line or the host.
func counts(kind string) bool {
	for _, k := range []transport.Kind{transport.KindCanceled, transport.KindInvalid, transport.KindLocal, transport.KindAuth,
		transport.KindHostKey, transport.KindCertificate, transport.KindInsecure} {
		if kind == k.String() {
			return false
		}
	}
	return true
}
