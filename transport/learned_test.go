package transport

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestLearned(t *testing.T) {
	var none *Learned
	none.Note("h:21", "x", true)
	none.Add("h:21", "x", 1)
	if none.Lacks("h:21", "x") || none.Count("h:21", "x") != 0 {
		t.Error("nil remembers")
	}
	var l Learned
	l.Note("h:21", "x", true)
	l.Add("h:21", "y", 2)
	l.Add("h:21", "y", math.MaxInt32)
	if !l.Lacks("h:21", "x") || l.Lacks("h:22", "x") || l.Count("h:21", "y") != math.MaxInt32 {
		t.Errorf("%v", l.hosts)
	}
	l.Note("h:21", "x", false)
	l.Note("h:21", "y", false)
	if l.Lacks("h:21", "x") || len(l.hosts) != 0 {
		t.Errorf("%v", l.hosts)
	}
}

// Servers have a say in what is remembered: it does not grow without end.
func TestLearnedIsBounded(t *testing.T) {
	var l Learned
	for i := range 2 * maxLearnedHosts {
		l.Note(fmt.Sprint("h:", i), "x", true)
		l.Note("one:21", fmt.Sprint(i), true)
	}
	l.Note("one:21", strings.Repeat("x", maxLearnedWord+1), true)
	if len(l.hosts) != maxLearnedHosts || len(l.hosts["one:21"]) > maxLearnedWords {
		t.Errorf("%d servers, %d words of one", len(l.hosts), len(l.hosts["one:21"]))
	}
	if !l.Lacks(fmt.Sprint("h:", 2*maxLearnedHosts-1), "x") {
		t.Error("what was learned last is forgotten")
	}
}

func TestLearnedIsSaved(t *testing.T) {
	var l, other Learned
	l.Note("h:21", "x", true)
	l.Add("h:21", "y", 3)
	data, err := l.Save()
	if err != nil {
		t.Fatal(err)
	}
	other.Note("i:21", "z", true)
	if err := other.Load(data); err != nil {
		t.Fatal(err)
	}
	if !other.Lacks("h:21", "x") || other.Count("h:21", "y") != 3 || !other.Lacks("i:21", "z") {
		t.Errorf("%v", other.hosts)
	}
	for _, bad := range []string{"", "{", `{"version":2,"hosts":{"h:21":{"w":1}}}`, `{"hosts":{"h:21":{"w":1}}}`, `{"version":1,"hosts":{"h:21":{"w":"1"}}}`} {
		if err := other.Load([]byte(bad)); err == nil || other.Lacks("h:21", "w") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := other.Load([]byte(`{"version":1,"hosts":{"h:21":{"w":-1,"v":99999999999}}}`)); err != nil || other.Lacks("h:21", "w") || other.Count("h:21", "v") != math.MaxInt32 {
		t.Errorf("%v, %v", err, other.hosts)
	}
	var none *Learned
	if data, err := none.Save(); err != nil || none.Load(data) != nil {
		t.Error(err)
	}
}
