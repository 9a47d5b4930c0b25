package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// TestSchema: the schema takes a report and its lines as they are, and refuses them with
// a part missing, a part more, or a value that cannot be.
func TestSchema(t *testing.T) {
	home(t)
	w := clitest.Start(t)
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"src/a": "a", "src/b/c": "c"})
	name := filepath.Join(dir, "r.json")
	c := clitest.Command{Main: run}
	url := "sftp://" + clitest.User + "@127.0.0.1:" + strconv.Itoa(w.SFTP.Port()) + "/in"
	s := c.Run(t.Context(), t, "-known-hosts", w.KnownHosts, "-json", "-report", name, filepath.Join(dir, "src"), url).Want(t, cli.ExitDone)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range append(strings.Split(strings.TrimSpace(s.Out), "\n"), string(data)) {
		check := clitest.CheckLine
		if line == string(data) {
			check = clitest.CheckReport
		}
		if err := check([]byte(line)); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		var whole map[string]any
		if err := json.Unmarshal([]byte(line), &whole); err != nil {
			t.Fatal(err)
		}
		optional := map[string]bool{"protocol": true, "verified": true, "reason": true, "dir": true, "error": true, "kind": true,
			"target": whole["op"] == "target"} // of a line
		refused := func(change string, m map[string]any) {
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if check(text) == nil {
				t.Errorf("line %d is taken with %s: %s", i, change, text)
			}
		}
		for key := range whole {
			if optional[key] && line != string(data) {
				continue
			}
			m := maps.Clone(whole)
			delete(m, key)
			refused(key+" missing", m)
		}
		for key, v := range map[string]any{"more": 1, "op": "copy", "exit": 8, "outcome": "perhaps", "size": -2, "version": 2} {
			m := maps.Clone(whole)
			if _, ok := m[key]; !ok && key != "more" {
				continue
			}
			m[key] = v
			refused(key+" changed", m)
		}
	}
}
