package ftpxslog_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxslog"
	"github.com/seed01fc2e40/go-ftpx/internal/testout"
)

// book keeps what is logged as JSON, a record a line.
type book struct{ testout.Output }

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
