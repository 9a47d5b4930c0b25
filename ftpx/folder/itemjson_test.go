package folder_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// TestItemJSON: an item tells in JSON why it failed, and a result only where there is one.
func TestItemJSON(t *testing.T) {
	for _, c := range []struct {
		item folder.Item
		want string
	}{
		{folder.Item{Action: folder.Mkdir, Path: "d", Dir: true, Size: -1, Reason: "it is not there"},
			`{"Action":"mkdir","Path":"d","Dir":true,"Size":-1,"Reason":"it is not there"}`},
		{folder.Item{Action: folder.Send, Path: "a", Size: 3, Err: errors.New("because of\x1b[2J")},
			`{"Action":"send","Path":"a","Size":3,"Err":"because of`},
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
