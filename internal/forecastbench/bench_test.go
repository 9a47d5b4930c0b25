package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// docs/forecast.md holds what the command prints.
func TestDocument(t *testing.T) {
	all, err := published(fixedSeed)
	if err != nil {
		t.Fatal(err)
	}
	text, problems := tables(all)
	if problems != nil {
		t.Error(problems)
	}
	doc, err := os.ReadFile("../../docs/forecast.md")
	if err != nil {
		t.Fatal(err)
	}
	_, made, _, err := between(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(made) != strings.TrimSpace(text) {
		t.Errorf("docs/forecast.md differs from what is computed: go run ./internal/forecastbench -write docs/forecast.md\n%s", text)
	}
}

// On independent failures no model may claim anything, whatever the seed.
func TestControl(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := source{name: "independent", traces: []trace{generate(r, independent(r))}, control: true}
		got, err := compare(s, forecast.Names(), seed)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.scores {
			if got.beats(i) {
				t.Errorf("seed %d: %s claims %v", seed, got.scores[i].model, got.intervals[i])
			}
		}
	}
}

// A claim on the control, and a default that the tables do not choose, are found.
func TestTablesCanFail(t *testing.T) {
	var all []result
	for _, s := range generated(1, 1) {
		s.control = !s.control
		r, err := compare(s, forecast.Names(), 1)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	_, problems := tables(all)
	if problems == nil {
		t.Fatal("no problem")
	}
	for _, want := range []string{`logistic claims to beat the base rate on the control "weibull"`, `but the tables choose "base-rate"`} {
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("no %q in %v", want, problems)
		}
	}
}

// Losses by hand, and each prediction made before its outcome is known.
func TestScore(t *testing.T) {
	var s score
	s.add(0.2, true)
	s.add(0.2, false)
	s.add(0.005, false)
	if got := mean(s.brier); math.Abs(got-(0.64+0.04+0.000025)/3) > 1e-12 {
		t.Errorf("Brier %v", got)
	}
	if got := sum(s.logLoss); math.Abs(got+math.Log(0.2)+math.Log(0.8)+math.Log(0.995)) > 1e-12 {
		t.Errorf("log loss %v", got)
	}
	if s.bins[3] != (bin{2, 0.4, 1}) || s.bins[0] != (bin{1, 0.005, 0}) {
		t.Errorf("bins %v", s.bins)
	}
	var history trace
	for i := range warmUp + 1 {
		history = append(history, attempt{began.Add(time.Duration(i) * time.Minute), i == warmUp})
	}
	got, err := judge(forecast.BaseRate, source{traces: []trace{history}})
	if err != nil || len(got.brier) != 1 || got.brier[0] < 0.99 {
		t.Errorf("%v, %v: the only failure was known before it was predicted", got.brier, err)
	}
}

// The interval holds the truth about as often as it says, also where losses come in
// runs; blocks of one, which take them for independent, do not.
func TestIntervalHolds(t *testing.T) {
	const n, run, trials = 1000, 10, 100
	held := func(block int) int {
		many := 0
		for trial := range trials {
			r := rand.New(rand.NewPCG(uint64(trial), 9))
			base, model := make([]float64, n), make([]float64, n)
			for i := 0; i < n; i += run {
				x := r.ExpFloat64() // the skill varies from run to run, 0.1 on average
				for j := range run {
					base[i+j], model[i+j] = 1, 1-0.1*x
				}
			}
			i := span95(skills([][]float64{base, model}, block, r)[1])
			if i.low <= 0.1 && 0.1 <= i.high {
				many++
			}
		}
		return many
	}
	if got := held(50); got < trials*88/100 {
		t.Errorf("the interval held the truth in %d of %d", got, trials)
	}
	if got := held(1); got > trials*60/100 {
		t.Errorf("blocks of one held it in %d of %d: the test proves nothing", got, trials)
	}
}

func TestReadLog(t *testing.T) {
	text := `# a comment

2026-11-30T22:15:05Z failed files.example.com sftp
1796077504.5 ok
2026-11-30T22:15:04+00:00 ok files.example.com sftp
1796077505 1
{"time":"2026-11-30T22:15:06Z","level":"DEBUG","msg":"connected","server":{"host":"files.example.com","protocol":"sftp"}}
{"time":"2026-11-30T22:15:07Z","level":"DEBUG","msg":"connect failed","server":{"host":"files.example.com","protocol":"sftp"},"error.kind":"timed out"}
{"time":"2026-11-30T22:15:08Z","level":"DEBUG","msg":"connect failed","server":{"host":"files.example.com","protocol":"sftp"},"error.kind":"login refused"}
{"time":"2026-11-30T22:15:09Z","level":"INFO","msg":"upload done"}
`
	all, err := readLog(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, tr := range all {
		for _, a := range tr {
			got.WriteString(a.at.UTC().Format("05.0"))
			if a.failed {
				got.WriteString("!")
			}
			got.WriteString(" ")
		}
		got.WriteString("| ")
	}
	if want := "04.0 05.0! 06.0 07.0! | 04.5 05.0! | "; got.String() != want {
		t.Errorf("%q, want %q", got.String(), want)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := strings.Repeat("2026-11-30T22:15:05Z ok\n2026-11-30T22:16:05Z failed\n", 50)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-trace", filepath.Join(dir, "missing")}, "-trace: open "},
		{[]string{"-trace", write("empty", "")}, "no attempts to connect: write lines"},
		{[]string{"-trace", write("few", "2026-11-30T22:15:05Z ok\n")}, "at least 10 are needed"},
		{[]string{"-trace", write("time", "\nyesterday ok\n")}, `line 2: time "yesterday": write it as 2006`},
		{[]string{"-trace", write("nan", "NaN ok\n")}, `line 1: time "NaN"`},
		{[]string{"-trace", write("outcome", "0 maybe\n")}, `line 1: outcome "maybe": write ok or failed`},
		{[]string{"-trace", write("words", "0 ok a b c\n")}, "line 1: 5 words"},
		{[]string{"-trace", write("json", "{\"time\":\n")}, "line 1: no JSON of package ftpxslog"},
		{[]string{"-trace", write("notime", `{"msg":"connected"}`)}, `line 1: no field "time"`},
		{[]string{"-trace", write("good", good), "-model", "lstm"}, `-model: forecast: unknown model "lstm": use one of`},
		{[]string{"-model", "ewma"}, "-model: give a history with -trace"},
		{[]string{"log"}, `unexpected argument "log"`},
		{[]string{"-write", write("unmarked", "text")}, "no lines"},
	} {
		err := run(c.args, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
}

// A user's own log, of one model.
func TestOwnLog(t *testing.T) {
	var log strings.Builder
	r := rand.New(rand.NewPCG(1, 1))
	now := began
	for i := range 2000 {
		now = now.Add(time.Duration(r.Int64N(int64(time.Hour))))
		outcome := "ok"
		if i/100%2 == 1 && r.IntN(2) == 0 {
			outcome = "failed"
		}
		log.WriteString(now.Format(time.RFC3339) + " " + outcome + "\n")
	}
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run([]string{"-trace", file, "-model", "ewma"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| log | 2000 | 2", "|  | ewma | ", "| yes |", "Calibration of ewma:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "logistic") {
		t.Errorf("models that nobody asked for:\n%s", &out)
	}
}
