package fleet

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestBadJobs(t *testing.T) {
	const good = `"op":"upload","source":"out:a","target":"acme","dest":"a"`
	for name, tt := range map[string]struct{ text, field, why string }{
		"no JSON":               {`op: upload`, "", "invalid character"},
		"nothing":               {``, "", "too early"},
		"half":                  {`{"op":"upl`, "", "too early"},
		"two":                   {`{` + good + `} {}`, "", "follows"},
		"unknown field":         {`{` + good + `,"priority":1}`, "priority", "no such field"},
		"newer":                 {`{"version":2,"later":true,` + good + `}`, "version", "update"},
		"wrong type":            {`{` + good + `,"after":"x"}`, "after", "write"},
		"no op":                 {`{"source":"out:a","target":"acme","dest":"a"}`, "op", "write upload"},
		"twice":                 {`{` + good + `,"op":"delete"}`, "op", "there twice"},
		"twice by capitals":     {`{` + good + `,"Target":"other"}`, "Target", "there twice"},
		"capitals":              {`{"OP":"upload","source":"out:a","target":"acme","dest":"a"}`, "OP", "small letters"},
		"not UTF-8":             {"{" + good + ",\"group\":\"\xff\"}", "", "UTF-8"},
		"op":                    {`{"op":"move","source":"out:a","target":"acme","dest":"a"}`, "op", "write upload"},
		"no target":             {`{"op":"upload","source":"out:a","dest":"a"}`, "target", "a-z"},
		"target":                {`{"op":"upload","source":"out:a","target":"Acme.*","dest":"a"}`, "target", "a-z"},
		"class":                 {`{` + good + `,"class":"high"}`, "class", "urgent"},
		"id":                    {`{"id":"a.b",` + good + `}`, "id", "letters"},
		"group":                 {`{"group":"a b",` + good + `}`, "group", "letters"},
		"verify":                {`{"verify":"yes",` + good + `}`, "verify", "auto"},
		"delivery":              {`{"delivery":"fast",` + good + `}`, "", "delivery"},
		"source without a root": {`{"op":"upload","source":"/etc/passwd","target":"acme","dest":"a"}`, "source", "ROOT:PATH"},
		"parent":                {`{"op":"upload","source":"out:../a","target":"acme","dest":"a"}`, "source", `".."`},
		"parent within":         {`{"op":"upload","source":"out:a/../../b","target":"acme","dest":"a"}`, "source", `".."`},
		"from the top":          {`{"op":"upload","source":"out:/etc/passwd","target":"acme","dest":"a"}`, "source", "begin with a slash"},
		"line":                  {`{"op":"upload","source":"out:a\nb","target":"acme","dest":"a"}`, "source", "CR or LF"},
		"remote parent":         {`{"op":"upload","source":"out:a","target":"acme","dest":"x/../../y"}`, "dest", `".."`},
		"remote line":           {`{"op":"upload","source":"out:a","target":"acme","dest":"a\r\nDELE b"}`, "dest", "CR, LF"},
		"no dest":               {`{"op":"upload","source":"out:a","target":"acme"}`, "dest", "missing"},
		"download":              {`{"op":"download","source":"a","target":"acme","dest":"a"}`, "dest", "ROOT:PATH"},
		"mirror nowhere":        {`{"op":"mirror","source":"a","target":"acme","dest":"b"}`, "source", "one must lie in a root"},
		"mirror two roots":      {`{"op":"mirror","source":"out:a","target":"acme","dest":"out:b"}`, "source", "one must lie in a root"},
		"copy from itself":      {`{"op":"copy","source":"acme:a","target":"acme","dest":"b"}`, "source", "another target"},
		"delete a source":       {`{"op":"delete","source":"a","target":"acme","dest":"b"}`, "source", "leave it out"},
		"after itself":          {`{"id":"x","after":["x"],` + good + `}`, "after", "another job"},
		"times":                 {`{"not_before":"2030-01-02T00:00:00Z","deadline":"2030-01-01T00:00:00Z",` + good + `}`, "not_before", "exchange"},
		"time":                  {`{"deadline":"tomorrow",` + good + `}`, "", "tomorrow"},
		"too long":              {`{` + good + `,"group":"` + strings.Repeat("x", 65<<10) + `"}`, "", "65536 are the most"},
	} {
		_, err := Decode([]byte(tt.text))
		var f *FieldError
		if !errors.As(err, &f) || !errors.Is(err, ErrJob) || f.Field != tt.field || !strings.Contains(f.Why, tt.why) {
			t.Errorf("%s: %+v (%v), want field %q and %q", name, f, err, tt.field, tt.why)
			continue
		}
		if strings.ContainsAny(err.Error(), "\r\n\x1b") {
			t.Errorf("%s: more than a line: %q", name, err)
		}
	}
}

func TestID(t *testing.T) {
	decode := func(text string) Job {
		j, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	a := decode(`{"op":"upload","source":"out:a","target":"acme","dest":"a"}`)
	if b := decode(`{"op":"upload","source":"out:a","target":"acme","dest":"a","class":"bulk","group":"g"}`); b.ID != a.ID {
		t.Error("class and group are no part of what a job is")
	}
	if b := decode(`{"op":"upload","source":"out:a","target":"acme","dest":"a","size":3}`); b.ID == a.ID {
		t.Error("a file of another size is another job")
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if back := decode(string(text)); back.ID != a.ID || back.Class != Normal || back.Version != 1 {
		t.Errorf("%+v", back)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"op":"upload","source":"out:a","target":"acme","dest":"a"}`))
	f.Add([]byte(`{"version":1,"op":"mirror","source":"x","target":"a","dest":"r:y","after":["z"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := Decode(data)
		if err != nil {
			if !errors.Is(err, ErrJob) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q", err)
			}
			return
		}
		text, err := json.Marshal(j)
		if err != nil || len(text) > 2*MaxJob {
			t.Fatal(err, len(text))
		}
		if back, err := Decode(text); err == nil && back.ID != j.ID {
			t.Errorf("%+v became %+v", j, back)
		}
	})
}
