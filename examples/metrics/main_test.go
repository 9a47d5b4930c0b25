package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon asks until f is content, for half a minute at most.
func soon(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// It serves before the host answers, waits for it, probes it, and ends with its context.
func TestProbe(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	srv := ftpxtest.NewServer(t, ftpx.FTPS)
	ca, _, err := srv.WriteTrust(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FTPX_PASSWORD", srv.Password)
	srv.Down()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out testout.Output
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"-metrics", "127.0.0.1:0", "-every", "50ms", "-size", "1000", "-parallel", "2", "-ca-file", ca,
			fmt.Sprintf("ftpes://%s@127.0.0.1:%d/", srv.User, srv.Port(ftpx.FTPS))}, &out)
	}()
	serving := regexp.MustCompile(`serving (http://\S+)/`)
	url := out.Until(t, "address", func(text string) (string, bool) {
		m := serving.FindStringSubmatch(text)
		return strings.Join(m[min(len(m), 1):], ""), m != nil
	})
	get := func(path string) (int, string) {
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
		return r.StatusCode, string(b)
	}
	if healthy, _ := get("/healthz"); healthy != 200 {
		t.Errorf("healthz: %d", healthy)
	}
	if ready, why := get("/readyz"); ready != 503 {
		t.Errorf("readyz: %d %s", ready, why)
	}
	if err := srv.Up(); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"put", "get", "remove"} {
		soon(t, op, func() bool {
			_, m := get("/metrics")
			return strings.Contains(m, `ftpx_operations_total{host="127.0.0.1",op="`+op+`",outcome="done",protocol="ftps"}`)
		})
	}
	cancel()
	if got := <-code; got != exitDone {
		t.Errorf("exit code %d: %s", got, &out)
	}
	if strings.Contains(out.String(), srv.Password) {
		t.Errorf("the password is shown: %s", &out)
	}
}

func TestMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	srv := ftpxtest.NewServer(t, ftpx.FTP)
	url := fmt.Sprintf("ftp://%s@127.0.0.1:%d/", srv.User, srv.Port(ftpx.FTP))
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "0 arguments: give one URL, after the flags", nil},
		{exitUsage, "-every 1ms: give 10ms or more", []string{"-every", "1ms", url}},
		{exitUsage, "-size -1: give 0 to", []string{"-size", "-1", url}},
		{exitUsage, "-parallel 0: give 1 to 64", []string{"-parallel", "0", url}},
		{exitUsage, "another program listens there", []string{"-metrics", taken.Addr().String(), url}},
		{exitFault, "unknown scheme in URL", []string{"-metrics", "127.0.0.1:0", "-allow-plaintext", strings.Replace(url, "ftp://", "gopher://", 1)}},
		{exitFault, "login refused", []string{"-metrics", "127.0.0.1:0", "-allow-plaintext", url}}, // FTPX_PASSWORD is not set
	} {
		t.Setenv("FTPX_PASSWORD", "")
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		var out testout.Output
		if code := run(ctx, c.args, &out); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: exit code %d, %q; want %d, %q", c.args, code, &out, c.code, c.want)
		}
		cancel()
	}
}
