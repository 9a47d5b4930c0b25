package turns

import (
	"strings"
	"sync"
	"testing"
)

// The golden files of the embedded servers.
const (
	goldenNumbers     = "testdata/turns.json"
	goldenTranscripts = "testdata/transcripts.txt"
	goldenRealNumbers = "testdata/turns_real.json"
)

// tries is how often a case is measured at most, until it is no worse than it may be.
const tries = 12

// A survey is what a run has measured.
type survey struct {
	golden numbers
	frozen map[string]string

	mu          sync.Mutex
	now         numbers
	transcripts map[string]string
}

func newSurvey(t testing.TB, numbersFile, transcriptsFile string) *survey {
	return &survey{
		golden: readNumbers(t, numbersFile), frozen: readTranscripts(t, transcriptsFile),
		now: numbers{}, transcripts: map[string]string{},
	}
}

// measure measures every case of every server, the servers at the same time: most
// of it is waiting.
func (v *survey) measure(t *testing.T, servers []*server, measure func(testing.TB, *server, kind)) {
	t.Run("of", func(t *testing.T) {
		for _, s := range servers {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				for _, k := range kinds() {
					t.Run(k.String(), func(t *testing.T) { measure(t, s, k) })
				}
			})
		}
	})
}

// count counts the turns of one case, with and without a character set.
func (v *survey) count(t testing.TB, s *server, k kind) {
	t.Helper()
	name := s.name + " " + k.String()
	for _, col := range []string{colTurns, colCharset} {
		for range tries {
			turns := k.count(t, s, choice{charset: col == colCharset})
			if v.note(name, col, k.number(turns)) && col == colTurns && k.name != "folder" {
				v.mu.Lock()
				v.transcripts[name] = transcript(turns)
				v.mu.Unlock()
			}
			if v.good(name, col) {
				break
			}
		}
	}
}

// note keeps a number if there is no smaller one, and reports whether it does.
func (v *survey) note(name, col string, number float64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now[name] == nil {
		v.now[name] = row{}
	}
	least, ok := v.now[name][col]
	if ok && number > least {
		return false
	}
	v.now[name][col] = number
	return true
}

// good reports whether what was measured needs no second look. Without a golden
// number, or with -update, it takes all tries to find the least.
func (v *survey) good(name, col string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, known := v.golden[name][col]
	if !known || *update || v.golden.risen(name, col, v.now[name][col]) {
		return false
	}
	text, ok := v.transcripts[name]
	return col != colTurns || !ok || text == v.frozen[name]
}

// judge fails the test where something is worse than it was or not what it was.
func (v *survey) judge(t *testing.T, numbersFile, transcriptsFile string) {
	t.Helper()
	risen, fallen, next := ratchet(v.golden, v.now)
	if *update {
		writeNumbers(t, numbersFile, next)
		for name, text := range v.transcripts {
			if !v.golden.risen(name, colTurns, v.now[name][colTurns]) {
				v.frozen[name] = text
			}
		}
		writeTranscripts(t, transcriptsFile, v.frozen)
		for _, r := range risen {
			if strings.Contains(r, " was ") { // what is new has just been written
				t.Errorf("risen: %s; -update does not raise a number", r)
			}
		}
		return
	}
	for _, r := range risen {
		t.Errorf("risen: %s", r)
	}
	for _, f := range fallen {
		t.Logf("fallen: %s: lower the golden with -update", f)
	}
	for name, text := range v.transcripts {
		if before := v.frozen[name]; before != text {
			t.Errorf("%s sends other commands than it did; accept them with -update if no number has risen. Before:\n%sNow:\n%s", name, before, text)
		}
	}
}

// TestTurns freezes what transfers to the embedded servers cost.
func TestTurns(t *testing.T) {
	v := newSurvey(t, goldenNumbers, goldenTranscripts)
	v.measure(t, embedded(t), v.count)
	v.judge(t, goldenNumbers, goldenTranscripts)
	t.Log("\n" + table(v.now))
}

// TestTable prints the golden numbers.
func TestTable(t *testing.T) {
	for _, file := range []string{goldenNumbers, goldenRealNumbers} {
		n := readNumbers(t, file)
		if len(n) == 0 {
			t.Errorf("%s is missing or empty", file)
		}
		t.Logf("%s\n%s", file, table(n))
	}
}
