//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/bench/line"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []int
		want   int
	}{{nil, 0}, {[]int{7}, 7}, {[]int{9, 1, 5}, 5}, {[]int{8, 2, 4, 6}, 5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %d, want %d", c.values, got, c.want)
		}
	}
}

func made(name string, r rank, walls ...time.Duration) *series {
	s := &series{peer: peer{name: name, rank: r}}
	for _, w := range walls {
		s.samples = append(s.samples, sample{usage: usage{Wall: w}})
	}
	return s
}

// TestRatioIsOfPairs: a round that was slow for both does not move the ratio.
func TestRatioIsOfPairs(t *testing.T) {
	ours := made("go-ftpx", us, time.Second, 10*time.Second, time.Second)
	theirs := made("x", rival, 2*time.Second, 20*time.Second, 2*time.Second)
	if r := ratio(ours, theirs); r != 2 {
		t.Errorf("ratio %v, want 2", r)
	}
}

// TestQuotients: pairs are compared round by round, and the interval is that of the median.
func TestQuotients(t *testing.T) {
	for n, want := range map[int]int{1: 0, 5: 0, 6: 1, 15: 4, 20: 6} {
		if k := rankOfInterval(n); k != want {
			t.Errorf("rank of the interval of %d pairs is %d, want %d", n, k, want)
		}
	}
	library, slog := made(libraryName, kin), made("with slog", kin)
	for i := range 15 {
		wall := time.Duration(i+1) * time.Second
		library.samples = append(library.samples, sample{usage: usage{Wall: wall, CPU: wall}})
		slog.samples = append(slog.samples, sample{usage: usage{Wall: wall * 101 / 100, CPU: wall * 2}})
	}
	v := costs(testJob(ftpx.SFTP, scenario{name: "x", what: oneFile}, true), []*series{made("go-ftpx", us, time.Second), library, slog})
	if len(v) != 2 || !v[0].met || v[1].met || !strings.Contains(v[1].figure, "2.000 (2.000 to 2.000, 15 pairs)") {
		t.Errorf("1 %% of time is judged %+v, twice the CPU time %+v", v[0], v[1])
	}
}

// TestNoFormIsARival: what go-ftpx needs in another form is no goal for itself.
func TestNoFormIsARival(t *testing.T) {
	far := scenario{name: "40ms-64MiB", what: oneFile, size: 64 * mib, line: line.Options{RTT: 40 * time.Millisecond}}
	list := []*series{made("go-ftpx", us, time.Second), made(libraryName, kin, time.Millisecond), made("lftp", rival, 3*time.Second)}
	if v := judge(testJob(ftpx.FTP, far, true), list); len(v) != 1 || !v[0].met || !strings.Contains(v[0].figure, "lftp") {
		t.Errorf("%+v", v)
	}
}

func testJob(proto ftpx.Protocol, sc scenario, up bool) *job {
	p := &place{endpoint: endpoint{Proto: protocol{proto}, Host: "127.0.0.1", Port: 2121, User: "u", Password: `p"w`, KeyFile: "/k", Root: "/r"}}
	j := &job{scenario: sc, place: p, rig: &rig{dir: "/d", root: "/r", local: "/l"}, up: up, name: "n"}
	for i := range sc.count {
		j.names = append(j.names, smallName(i))
	}
	return j
}

func TestGoals(t *testing.T) {
	far := scenario{name: "40ms-64MiB", what: oneFile, size: 64 * mib, line: line.Options{RTT: 40 * time.Millisecond}}
	for _, c := range []struct {
		proto  ftpx.Protocol
		theirs time.Duration
		met    bool
	}{
		{ftpx.SFTP, 2500 * time.Millisecond, true}, {ftpx.SFTP, 1900 * time.Millisecond, false},
		{ftpx.FTP, 1100 * time.Millisecond, true}, {ftpx.FTP, time.Second, false},
	} {
		// A bound is no peer: being slower than raw TCP fails nothing.
		list := []*series{made("go-ftpx", us, time.Second), made("lftp", rival, c.theirs), made("raw TCP", bound, time.Millisecond)}
		v := judge(testJob(c.proto, far, true), list)
		if len(v) != 1 || v[0].met != c.met {
			t.Errorf("%v, peer %v, ours 1s: %+v, want met %v", c.proto, c.theirs, v, c.met)
		}
	}
	failed := &series{err: os.ErrInvalid}
	if v := judge(testJob(ftpx.FTP, far, true), []*series{failed}); len(v) != 1 || v[0].met {
		t.Errorf("a failure of ours is judged %+v", v)
	}
}

func TestProportion(t *testing.T) {
	v := proportion([]record{{"1000-small/ftp/up", time.Second}, {"10000-small/ftp/up", 12 * time.Second}, {"10000-small/sftp/up", time.Second}})
	if len(v) != 1 || v[0].met || v[0].id != "10000-small/ftp/up" {
		t.Errorf("12 times the time for 10 times the files is judged %+v", v)
	}
}

func TestTableShowsFailures(t *testing.T) {
	j := testJob(ftpx.FTP, scenario{name: "loopback", what: oneFile, size: 100}, false)
	j.place.server = nil
	broken := made("curl", rival)
	broken.err = os.ErrPermission
	var b strings.Builder
	for _, s := range []*series{made("go-ftpx", us, time.Second, 2*time.Second, 4*time.Second), made("lftp", rival, time.Second), broken} {
		row(&b, s.cells(j, made("go-ftpx", us, 2*time.Second), false))
	}
	for _, want := range []string{"| go-ftpx | 2.000 s | 1.000 s .. 4.000 s | 1 |", "| lftp | 1.000 s | one run | 0.50 |", "| curl | failed: permission denied |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestTaskSurvivesTheWay(t *testing.T) {
	text, err := json.Marshal(task{Peer: "ours", Endpoint: endpoint{Proto: protocol{ftpx.FTPS}, Port: 7}})
	if err != nil {
		t.Fatal(err)
	}
	var got task
	if err := json.Unmarshal(text, &got); err != nil || got.Endpoint.Proto.Protocol != ftpx.FTPS || got.Endpoint.Port != 7 {
		t.Errorf("%s reads as %+v, %v", text, got, err)
	}
}

func TestDifferencesAreFound(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	long := strings.Repeat("x", 300_000)
	a := write("a", long)
	for text, equal := range map[string]bool{long: true, long[1:]: false, long + "x": false, long[1:] + "y": false, "": false} {
		if err := same(a, write("b", text), false); (err == nil) != equal {
			t.Errorf("%d bytes beside %d: %v, want equal %v", len(text), len(long), err, equal)
		}
	}
	write("one/f", "1")
	write("two/f", "1")
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	if err := same(one, two, true); err != nil {
		t.Error(err)
	}
	write("two/.f.ftpx-1.part", "1")
	if err := same(one, two, true); err == nil {
		t.Error("a partial that was left behind is not noticed")
	}
}

// TestPasswordsStayOffCommandLines: anyone on the machine can read those.
func TestPasswordsStayOffCommandLines(t *testing.T) {
	many := scenario{name: "many", what: manyFiles, size: 4 * kib, count: 20, conns: 8}
	one := scenario{name: "one", what: oneFile, size: mib, conns: 8}
	for _, p := range []func(*job) ([]program, error){shipped, lftp, lftpParallel, curl, openSSH, func(j *job) ([]program, error) { return j.goPeer("ours", 1) }} {
		for _, sc := range []scenario{many, one, {what: session}, {what: listing, count: 1}} {
			for _, proto := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP} {
				programs, err := p(testJob(proto, sc, true))
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range programs {
					if all := strings.Join(append(p.Argv, p.Env...), " "); strings.Contains(all, `p"w`) {
						t.Errorf("the password is in %q", all)
					}
				}
			}
		}
	}
}

// TestSharesAreComplete: every name goes to one of the programs, and no more
// programs are started than others have connections.
func TestSharesAreComplete(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 1000} {
		j := testJob(ftpx.SFTP, scenario{what: manyFiles, count: n, conns: 8}, true)
		total := 0
		shares := j.shares(8)
		for _, s := range shares {
			total += len(s)
		}
		if total != n || len(shares) > 8 {
			t.Errorf("%d names in %d shares of %d programs", n, total, len(shares))
		}
	}
}

func TestMeasureTellsUsageAndFailure(t *testing.T) {
	u, err := measure(t.Context(), []program{{Argv: []string{"sh", "-c", "cat; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"}, Stdin: "said"}, {Argv: []string{"true"}}})
	if err != nil || len(u.Output) != 2 || u.Output[0] != "said" || u.CPU <= 0 || u.Wall <= 0 || u.Memory <= 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := measure(t.Context(), []program{{Argv: []string{"sh", "-c", "echo why >&2; exit 3"}}}); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("a failing program gives %v", err)
	}
}

func TestCasesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, sc := range scenarios(1) {
		id := sc.id(ftpx.SFTP, true)
		if seen[id] {
			t.Errorf("two cases are named %s", id)
		}
		seen[id] = true
	}
}
