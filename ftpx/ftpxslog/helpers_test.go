package ftpxslog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxslog"
)

// book keeps what is logged as JSON, a record a line.
type book struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// records returns what was logged, with groups flattened: "server.host".
func (b *book) records(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(b.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		flat := map[string]any{}
		flatten(flat, "", r)
		all = append(all, flat)
	}
	return all
}

func flatten(to map[string]any, prefix string, from map[string]any) {
	for k, v := range from {
		if in, ok := v.(map[string]any); ok {
			flatten(to, prefix+k+".", in)
			continue
		}
		to[prefix+k] = v
	}
}

func hooks(level slog.Level, opts *ftpxslog.Options) (*ftpx.Hooks, *book) {
	b := &book{}
	return ftpxslog.New(slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: level})), opts), b
}

// ends calls a scope and its finish.
func ends[I, E any](scope func(context.Context, I) (context.Context, func(E)), i I, e E) {
	_, finish := scope(context.Background(), i)
	if finish != nil {
		finish(e)
	}
}
