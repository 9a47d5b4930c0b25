package ftpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// TestKindsOfPortableErrors: what a fake returns has the kind that a server's answer of the
// same meaning has; a local file's error has that of a local file.
func TestKindsOfPortableErrors(t *testing.T) {
	for err, want := range map[error]ftpx.Kind{
		fs.ErrNotExist: ftpx.KindNotExist, fs.ErrExist: ftpx.KindExist, fs.ErrPermission: ftpx.KindPermission, fs.ErrInvalid: ftpx.KindInvalid,
		errors.ErrUnsupported: ftpx.KindUnsupported, context.Canceled: ftpx.KindCanceled, context.DeadlineExceeded: ftpx.KindCanceled,
		&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}:                                          ftpx.KindLocal,
		&os.LinkError{Op: "rename", Old: "x", New: "y", Err: fs.ErrPermission}:                             ftpx.KindLocal,
		&ftpx.Error{Op: "put", Outcome: ftpx.NotDone, Err: fs.ErrPermission}:                               ftpx.KindPermission,
		fmt.Errorf("wrapped: %w", &ftpx.Error{Outcome: 1, Err: context.Canceled}):                          ftpx.KindCanceled,
		fmt.Errorf("wrapped: %w", fmt.Errorf("read the list: %w", fs.ErrNotExist)):                         ftpx.KindNotExist,
		&fs.PathError{Op: "read", Path: "x", Err: &ftpx.Error{Err: fs.ErrNotExist, Outcome: ftpx.NotDone}}: ftpx.KindNotExist,
	} {
		if got := ftpx.KindOf(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// TestZeroIsNotKnown: the zero value of what tells something is that nothing is known.
func TestZeroIsNotKnown(t *testing.T) {
	var o ftpx.Outcome
	var k ftpx.Kind
	var e ftpx.Entry
	if o != ftpx.Unknown || k != ftpx.KindUnknown || e.Type != ftpx.TypeUnknown || e.IsDir() {
		t.Errorf("%v, %v, %v", o, k, e.Type)
	}
}

// TestJSON: what programs keep is words in JSON, and is read back as it was.
func TestJSON(t *testing.T) {
	res := ftpx.Result{Outcome: ftpx.Done, Size: 3, Kept: 1, Moved: 2, Attempts: 2, Resumes: 1, Protocol: ftpx.FTPS, Addr: "h:21",
		Verified: ftpx.Verified{Size: true, Hash: "sha256", ReadBack: 1}, TimeKept: true, ModeSet: true, Unchanged: true, Duration: time.Second}
	entry := ftpx.Entry{Name: "f", Type: ftpx.TypeLink, Size: 3, ModTime: time.Unix(1, 0).UTC(), TimeExact: true, Perm: 0o644, Target: "g"}
	for _, c := range []struct {
		v, to any
		want  []string
	}{
		{&res, &ftpx.Result{}, []string{`"outcome":"done"`, `"protocol":"ftps"`, `"read_back":1`, `"duration_ns":1000000000`}},
		{&entry, &ftpx.Entry{}, []string{`"name":"f"`, `"type":"link"`, `"mtime":"1970-01-01T00:00:01Z"`}},
	} {
		text, err := json.Marshal(c.v)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s does not hold %s", text, want)
			}
		}
		if err := json.Unmarshal(text, c.to); err != nil || !reflect.DeepEqual(c.v, c.to) {
			t.Errorf("%+v, %v\nwant %+v", c.to, err, c.v)
		}
	}
	got, err := json.Marshal(&ftpx.Error{Op: "put", Remote: "f", Outcome: ftpx.NotDone, Offset: 2, Size: 3, Err: fmt.Errorf("a\x1b[2J: %w", fs.ErrPermission)})
	want := `{"op":"put","remote":"f","outcome":"not done","kind":"permission denied","error":"a�[2J: permission denied","offset":2,"size":3}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	var o ftpx.Outcome
	if err := o.UnmarshalText([]byte("perhaps")); err == nil || !strings.Contains(err.Error(), "not done or unknown") {
		t.Error(err)
	}
}
