package jobreport_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
)

// TestSchema: the schema that programs import is the one that is published, what the types
// write keeps to it with every field set, and what is read is what was written.
func TestSchema(t *testing.T) {
	published, err := os.ReadFile("../../docs/job-report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, jobreport.Schema()) {
		t.Error("ftpx/jobreport/schema.json is not docs/job-report.schema.json: copy it")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jobreport.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s := c.MustCompile("report.json")
	rep := full()
	text, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	back, err := jobreport.Decode(bytes.NewReader(text))
	if err != nil || !reflect.DeepEqual(back, rep) {
		t.Errorf("%+v, %v\nwant %+v", back, err, rep)
	}
}

// full is a report with every field set, so that one that the schema does not know shows.
func full() *jobreport.Report {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	totals := jobreport.Totals{Op: "summary", Files: 3, Done: 1, Failed: 1, Unknown: 1, Bytes: 4, Moved: 5, DurationMS: 6, Exit: 1, Error: "e", Kind: "busy"}
	whole := jobreport.Summary{Totals: totals, Job: "j", DryRun: true, Folders: 1, Unchanged: 2, Left: 3, NotReady: 4, Deleted: 5, Taken: 6, Verified: 7, TimesLost: 8}
	of := whole
	of.Op, of.Target = "target", "t"
	move := jobreport.Move{Op: "upload", Local: "l", Remote: "r", Outcome: "not done", Size: 1, Kept: 2, Moved: 3, Unchanged: true, Attempts: 4, Resumes: 5,
		Protocol: "sftp", Verified: "size", DurationMS: 6, Error: "e", Kind: "busy"}
	return &jobreport.Report{Head: jobreport.Head{Version: 1, Job: "j", Source: "s", Targets: []string{"t"}, Started: at, Host: "h", PID: 1},
		Items: []jobreport.Item{{Move: move, Job: "j", Target: "t", Path: "p", Renamed: "n", Dir: true, Reason: "r", After: "a"}},
		Tail:  jobreport.Tail{Results: []jobreport.Summary{of}, Summary: whole, Ended: at}}
}

// TestDecodeRefuses: what is no report of this version is refused with a remedy.
func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{`{"version":2}`: "version 2", `[`: "no job report", "": "no job report"} {
		if _, err := jobreport.Decode(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
