package lint

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// tooHeavy are the modules that a program which imports ftpx alone must not have
// to compile: adapters and servers are for those who import their packages.
var tooHeavy = []string{
	"go.opentelemetry.io",
	"github.com/prometheus",
	"github.com/nats-io",
	"go.etcd.io/bbolt",
	"github.com/bmatcuk/doublestar",
	"github.com/fsnotify",
	"github.com/pelletier/go-toml",
	"github.com/alecthomas/kong",
	"github.com/fclairamb/ftpserverlib",
	"github.com/spf13/afero",
}

// checkWeight complains about what the package compiles on any of the three
// systems, the module's own internal packages included.
func checkWeight(root, module, pkg string) ([]string, error) {
	var bad []string
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", "./"+pkg)
		cmd.Dir = root
		// A machine's own GOFLAGS stay; a go.work above would pull in strangers.
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOWORK=off")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
		}
		for _, dep := range strings.Fields(string(out)) {
			for _, heavy := range append(tooHeavy, path.Join(module, "internal")) {
				if within(dep, heavy) {
					bad = append(bad, fmt.Sprintf("%s compiles %s on %s", pkg, dep, system))
				}
			}
		}
	}
	return bad, nil
}

func TestFTPXIsLight(t *testing.T) {
	m := theModule(t)
	bad, err := checkWeight(m.root, m.module, "ftpx")
	if err != nil {
		t.Fatal(err)
	}
	none(t, bad)
}

func TestWeightRuleCanFail(t *testing.T) {
	m := madeUp(t, map[string]string{
		"ftpx/client.go":                 "package ftpx\n\nimport _ \"example.test/m/ftpx/hooks\"\n",
		"ftpx/client_windows.go":         "package ftpx\n\nimport _ \"example.test/m/internal/helper\"\n",
		"ftpx/hooks/hooks.go":            "package hooks\n\nimport _ \"go.opentelemetry.io/otel\"\n",
		"internal/helper/helper.go":      "package helper\n",
		"otel/go.mod":                    "module go.opentelemetry.io/otel\n\ngo 1.26\n",
		"otel/otel.go":                   "package otel\n",
		"ftpx/client_prometheus_test.go": "package ftpx\n\nimport _ \"github.com/prometheus/none\"\n",
	})
	write(t, m.root, "go.mod", "module example.test/m\n\ngo 1.26\n\n"+
		"require go.opentelemetry.io/otel v0.0.0\n\nreplace go.opentelemetry.io/otel => ./otel\n")
	bad, err := checkWeight(m.root, m.module, "ftpx")
	if err != nil {
		t.Fatal(err)
	}
	exactly(t, bad,
		"ftpx compiles go.opentelemetry.io/otel on linux",
		"ftpx compiles go.opentelemetry.io/otel on darwin",
		"ftpx compiles go.opentelemetry.io/otel on windows",
		"ftpx compiles example.test/m/internal/helper on windows",
	)
}
