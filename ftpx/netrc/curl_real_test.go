//go:build realserver

package netrc

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealCurl: what [asCurl] says of curl is what curl does. Only its oldest rules are in
// it, so that it holds for any release since 7.84.
func TestRealCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err) // .ci/run installs it
	}
	said := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { said <- r.Header.Get("Authorization") }))
	defer srv.Close()
	for name, c := range asCurl {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "netrc")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			url := "http://h/"
			if c.user != "" {
				url = "http://" + c.user + "@h/"
			}
			if out, err := exec.Command(curl, "-sS", "--basic", "--noproxy", "*", "--netrc-file", file, "--netrc-optional",
				"--connect-to", "::"+strings.TrimPrefix(srv.URL, "http://"), url).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.login+":"+c.password))
			if got := <-said; got != want {
				plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(got, "Basic "))
				t.Errorf("curl says %q, we %q", plain, c.login+":"+c.password)
			}
		})
	}
}
