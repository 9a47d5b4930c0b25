package job

import (
	"os"
	"reflect"
	"regexp"
	"testing"
)

// TestDocs: docs/jobs.md names each key of the file and no other, and its example is
// taken.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../../../docs/jobs.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	var collect func(reflect.Type)
	collect = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for _, f := range reflect.VisibleFields(typ) {
			if key := f.Tag.Get("toml"); key != "" {
				known[key] = true
				collect(f.Type)
			}
		}
	}
	collect(reflect.TypeFor[file]())
	told := map[string]bool{"defaults": true, "job": true} // in the text
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|([^|]*)\\|").FindAllStringSubmatch(string(data), -1) {
		keys := regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1)
		for _, k := range keys {
			told[k[1]] = true
		}
		if typ := typeOf(reflect.TypeFor[file](), []string{"job", keys[0][1]}); typ != nil && isTable(typ) { // its own keys
			for _, k := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[2], -1) {
				told[k[1]] = true
			}
		}
	}
	for key := range known {
		if !told[key] {
			t.Errorf("%s is not in the tables", key)
		}
	}
	for _, command := range []string{"uploader", "downloader", "mirror"} { // of the first table
		delete(told, command)
	}
	for key := range told {
		if !known[key] {
			t.Errorf("%s is in the tables, and no key", key)
		}
	}
	example := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(data)
	if jobs, err := Load(write(t, string(example[1])), ""); err != nil || len(jobs) != 3 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}
