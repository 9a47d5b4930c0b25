package folder_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// TestActionText: each action is read as it is written, and the error names them all.
func TestActionText(t *testing.T) {
	var a folder.Action
	err := a.UnmarshalText([]byte("copy"))
	for want := folder.Skip; want <= folder.Refuse; want++ {
		if rerr := a.UnmarshalText([]byte(want.String())); rerr != nil || a != want {
			t.Errorf("%v: %v, %v", want, a, rerr)
		}
		if err == nil || !strings.Contains(err.Error(), want.String()) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
}

// TestItemJSON: an item tells in JSON why it failed, and a result only where there is one.
func TestItemJSON(t *testing.T) {
	for _, c := range []struct {
		item folder.Item
		want string
	}{
		{folder.Item{Action: folder.Mkdir, Outcome: ftpx.Done, Path: "d", Dir: true, Size: -1, Reason: "it is not there"},
			`{"action":"mkdir","path":"d","dir":true,"size":-1,"outcome":"done","reason":"it is not there"}`},
		{folder.Item{Action: folder.Send, Outcome: ftpx.NotDone, Path: "a", Size: 3, Err: errors.New("because of\x1b[2J")},
			`{"action":"send","path":"a","size":3,"outcome":"not done","kind":"unknown","error":"because of`},
	} {
		got, err := json.Marshal(c.item)
		if err != nil || len(got) < len(c.want) || string(got[:len(c.want)]) != c.want {
			t.Errorf("%s, %v, want %s", got, err, c.want)
		}
	}
	got, err := json.Marshal(folder.Item{Action: folder.Send, Path: "a", Size: 3, Result: ftpx.Result{Attempts: 1, Size: 3}})
	var back struct {
		Result struct{ Size int64 }
		Err    *string
	}
	if err != nil || json.Unmarshal(got, &back) != nil || back.Result.Size != 3 || back.Err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

// TestItemOutcomes: a folder that was made is done; what was left alone, is only planned or
// has failed is not.
func TestItemOutcomes(t *testing.T) {
	local := t.TempDir()
	write(t, local, map[string]string{"d/a": "x", "no": "x"})
	c := ftpxtest.NewClient()
	defer c.Close()
	outcomes := func(o folder.Options) map[string]ftpx.Outcome {
		got := map[string]ftpx.Outcome{}
		o.OnItem = func(i folder.Item) { got[i.Action.String()+" "+i.Path] = i.Outcome }
		_, _ = folder.Upload(t.Context(), c, local, "", &o)
		return got
	}
	want := map[string]ftpx.Outcome{"mkdir d": ftpx.NotDone, "send d/a": ftpx.NotDone, "skip no": ftpx.NotDone}
	o := folder.Options{Exclude: []string{"no"}, DryRun: true}
	if got := outcomes(o); !reflect.DeepEqual(got, want) {
		t.Errorf("a dry run: %v, want %v", got, want)
	}
	o.DryRun = false
	c.FailNext("upload", ftpxtest.Fault(ftpx.KindRefused))
	want["mkdir d"] = ftpx.Done
	if got := outcomes(o); !reflect.DeepEqual(got, want) {
		t.Errorf("one that fails: %v, want %v", got, want)
	}
	delete(want, "mkdir d")
	want["send d/a"] = ftpx.Done
	if got := outcomes(o); !reflect.DeepEqual(got, want) {
		t.Errorf("the second run: %v, want %v", got, want)
	}
}
