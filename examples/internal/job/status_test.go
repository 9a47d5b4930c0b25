package job

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testout"
)

// watchWith runs the command watch until ctx ends.
func watchWith(ctx context.Context, t *testing.T, srv *ftpxtest.Server, source string, out *testout.Output, more ...string) int {
	env := cli.Env{Stdout: out, Stderr: out, Stdin: strings.NewReader(""), Getenv: func(name string) string {
		return map[string]string{"FTPX_PASSWORD": srv.Password}[name]
	}}
	f := Flags{Program: "watch"}
	args := append(more, "-allow-plaintext", "-lock-dir", t.TempDir(), "-ready-stable", "10ms", source,
		fmt.Sprintf("ftp://%s@127.0.0.1:%d/in", srv.User, srv.Port(ftpx.FTP)))
	args, code, ok := cli.ParseJob("watch", "usage", &f.Flags, &env, args, func(fs *flag.FlagSet) { f.RegisterWatch(fs) })
	if !ok {
		return code
	}
	jobs, err := f.Jobs(args)
	if err != nil {
		return Fail("watch", env, err)
	}
	return Watch(ctx, &f, env, jobs)
}

// A watch shows with -metrics what it does, as long as it runs.
func TestMetricsOfAWatch(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	srv := ftpxtest.NewServer(t, ftpx.FTP)
	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "<b>a.csv"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out testout.Output
	code := make(chan int, 1)
	go func() { code <- watchWith(ctx, t, srv, source, &out, "-v", "-metrics", "127.0.0.1:0") }()
	serving := regexp.MustCompile(`serving (http://\S+)`)
	url := out.Until(t, "address", func(text string) (string, bool) {
		m := serving.FindStringSubmatch(text)
		return strings.Join(m[min(len(m), 1):], ""), m != nil
	})
	get := func(path string) string {
		t.Helper()
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	out.Until(t, "finished upload", func(text string) (string, bool) { return "", strings.Contains(text, "upload <b>a.csv (") })
	if m := get("metrics"); !strings.Contains(m, `ftpx_operations_total{host="127.0.0.1",op="upload",outcome="done",protocol="ftp"} 1`) {
		t.Errorf("no upload in %s", m)
	}
	if page := get(""); !strings.Contains(page, "<h1>watch</h1>") {
		t.Errorf("the page: %s", page)
	}

	var second testout.Output
	address := strings.Trim(strings.TrimPrefix(url, "http://"), "/")
	if got := watchWith(ctx, t, srv, t.TempDir(), &second, "-metrics", address); got != cli.ExitUsage {
		t.Errorf("exit code %d for an address that is taken", got)
	}
	if text := second.String(); !strings.Contains(text, "-metrics") || !strings.Contains(text, "another program listens there") || strings.Count(text, "\n") != 1 {
		t.Errorf("%q", text)
	}

	cancel()
	if got := <-code; got != cli.ExitDone {
		t.Errorf("exit code %d: %s", got, &out)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("it is served after the end")
	}
}
