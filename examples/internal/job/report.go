package job

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
)

// report is a report under way. Its records go to a file beside it as they come, so
// that a million of them need no memory; it gets its name when it is whole. The job's
// lock keeps two runs from writing the same.
type report struct {
	name string
	f    *os.File // nil for no report
	w    *bufio.Writer
	n    int
	err  error // the first
}

// openReport begins a report; "" makes one that takes everything and writes nothing.
func openReport(name string, head jobreport.Head) (*report, error) {
	r := &report{name: name}
	if name == "" {
		return r, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, fmt.Errorf("the folder of the report: %w", err)
	}
	var err error
	if r.f, err = os.Create(name + ".tmp"); err != nil {
		return nil, fmt.Errorf("the report: %w", err)
	}
	r.w = bufio.NewWriter(r.f)
	text := encode(head)
	r.write(text[:len(text)-1], []byte(`,"items":[`))
	return r, nil
}

// encode is one line of JSON that no terminal obeys.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // the types are ours, and hold nothing that JSON cannot
	}
	return []byte(cli.EscapeControl(string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))))
}

func (r *report) write(parts ...[]byte) {
	for _, p := range parts {
		if _, err := r.w.Write(p); err != nil && r.err == nil {
			r.err = err
		}
	}
}

// item adds a record.
func (r *report) item(rec *record) {
	if r.f == nil {
		return
	}
	between := []byte("\n")
	if r.n > 0 {
		between = []byte(",\n")
	}
	r.n++
	r.write(between, encode(rec.Item))
}

// finish gives the report its name. Until then the one before is there.
func (r *report) finish(tail jobreport.Tail) error {
	if r.f == nil {
		return nil
	}
	r.write([]byte("],"), encode(tail)[1:], []byte("\n"))
	err := errors.Join(r.err, r.w.Flush(), r.f.Sync(), r.f.Close())
	if err == nil {
		err = os.Rename(r.f.Name(), r.name)
	}
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	return nil
}
