package watch_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
)

// TestAgainDoneDead: what a consumer says of a file decides when it comes again.
func TestAgainDoneDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ftpxtest.NewClient()
		defer c.Close()
		begun := time.Now()
		for _, name := range []string{"in/again", "in/dead", "in/done", "in/silent"} {
			c.WriteFile(name, []byte("x"), begun)
		}
		type seen struct {
			attempt int
			at      time.Duration
		}
		got := map[string][]seen{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for e, err := range watch.Remote(ctx, c, "in", &watch.Options{RetryAfter: 10 * time.Second, Interval: time.Second, MaxInterval: time.Second}) {
			if err != nil {
				t.Fatal(err)
			}
			got[e.Path] = append(got[e.Path], seen{e.Attempt, time.Since(begun)})
			switch {
			case e.Path == "again" && e.Attempt < 8: // more often than Options.Attempts
				err = e.Again()
			case e.Path == "dead":
				err = e.Dead()
			case e.Path != "silent":
				err = e.Done()
			}
			if err != nil {
				t.Errorf("%s: %v", e.Path, err)
			}
		}
		var pauses []time.Duration
		for i, s := range got["again"] {
			if s.attempt != i+1 {
				t.Errorf("attempt %d is said to be %d", i+1, s.attempt)
			}
			if i > 0 {
				pauses = append(pauses, (s.at - got["again"][i-1].at).Truncate(time.Second))
			}
		}
		for i, p := range pauses {
			if want := 10 * time.Second << i; p < want || p > want+2*time.Second {
				t.Errorf("pause %d is %v, want %v", i+1, p, want)
			}
		}
		if len(pauses) < 5 || len(got["dead"]) != 1 || len(got["done"]) != 1 || len(got["silent"]) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// TestStreamsAskTheLedger: what was done or is dead does not come again after a restart,
// until it changes; what nothing was said of, or was to come again, does.
func TestStreamsAskTheLedger(t *testing.T) {
	l, err := ledger.Open(filepath.Join(t.TempDir(), "watch.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := ftpxtest.NewClient()
	defer c.Close()
	local := t.TempDir()
	when := time.Now().Add(-time.Hour)
	write := func(name, text string) {
		c.WriteFile("in/"+name, []byte(text), when)
		put(t, filepath.Join(local, name), text)
	}
	for _, name := range []string{"again", "dead", "done", "silent"} {
		write(name, "x")
	}
	o := &watch.Options{Folder: folder.Options{Ledger: l, Ready: folder.Ready{Stable: time.Millisecond}}, Interval: time.Millisecond, MaxInterval: time.Millisecond, RetryAfter: time.Hour}
	for side, open := range map[string]func(context.Context) func(func(watch.Event, error) bool){
		"remote": func(ctx context.Context) func(func(watch.Event, error) bool) { return watch.Remote(ctx, c, "in", o) },
		"local":  func(ctx context.Context) func(func(watch.Event, error) bool) { return watch.Local(ctx, local, o) },
	} {
		// stream reads until the file "last" has come, which is written behind all others.
		stream := func(last string) map[string]int {
			write(last, "the last")
			got := map[string]int{}
			for e, err := range open(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got[e.Path]++
				switch e.Path {
				case "again":
					err = e.Again()
				case "dead":
					err = e.Dead()
				case "done":
					err = e.Done()
				case last:
					err = e.Done()
				}
				if err != nil {
					t.Fatal(err)
				}
				if got[last] > 0 && got["again"] > 0 && got["silent"] > 0 {
					break
				}
			}
			return got
		}
		first := stream(side + "1")
		// Those that the break may have kept from coming are let come.
		for first["dead"] == 0 || first["done"] == 0 {
			for name, n := range stream(side + "1b") {
				first[name] += n
			}
		}
		second := stream(side + "2")
		if second["dead"] != 0 || second["done"] != 0 || second["again"] != 1 || second["silent"] != 1 {
			t.Errorf("%s, after a restart: %v", side, second)
		}
		e, found, err := l.Lookup("watch "+side+" "+map[string]string{"remote": "in", "local": local}[side], "dead")
		if err != nil || !found || e.State != ledger.StateDead {
			t.Errorf("%s: %+v, %v, %v", side, e, found, err)
		}
		write("dead", side+" has changed")
		if third := stream(side + "3"); third["dead"] != 1 {
			// It may come after the last.
			if fourth := stream(side + "4"); fourth["dead"] != 1 {
				t.Errorf("%s, after a change: %v, %v", side, third, fourth)
			}
		}
	}
}

// TestEventsOfNoStream: an event of one's own cannot be acknowledged.
func TestEventsOfNoStream(t *testing.T) {
	var e watch.Event
	for _, err := range []error{e.Done(), e.Again(), e.Dead()} {
		if err == nil {
			t.Error("it is taken")
		}
	}
	// A ledger that fails is told, and the file comes again.
	synctest.Test(t, func(t *testing.T) {
		c := ftpxtest.NewClient()
		defer c.Close()
		c.WriteFile("in/f", []byte("x"), time.Now())
		broken := &brokenLedger{err: errors.New("the disk is full")}
		var errs []error
		for e, err := range watch.Remote(t.Context(), c, "in", &watch.Options{Folder: folder.Options{Ledger: broken}}) {
			if err != nil {
				errs = append(errs, err)
				broken.err = nil
				continue
			}
			if err := e.Done(); err != nil || !reflect.DeepEqual(broken.recorded, []string{"f"}) {
				t.Errorf("%v, %v", broken.recorded, err)
			}
			break
		}
		if len(errs) != 1 || errs[0].Error() != "watch: the ledger: the disk is full" {
			t.Error(errs)
		}
	})
}

type brokenLedger struct {
	err      error
	recorded []string
}

func (b *brokenLedger) Lookup(string, string) (ledger.Entry, bool, error) {
	return ledger.Entry{}, false, b.err
}
func (b *brokenLedger) Record(e ledger.Entry) error {
	b.recorded = append(b.recorded, e.Path)
	return b.err
}
func (b *brokenLedger) Sync() error    { return b.err }
func (b *brokenLedger) FullHash() bool { return false }
