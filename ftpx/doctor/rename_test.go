package doctor_test

import (
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestRenames: where no rename works every upload by the defaults fails, which is not the
// same as a rename that does not replace.
func TestRenames(t *testing.T) {
	for name, c := range map[string]struct {
		server testserver.FTPOptions
		want   doctor.Verdict
		says   string
	}{
		"none":           {testserver.FTPOptions{Disable: []string{"RNFR", "RNTO"}}, doctor.Fail, "DeliverDirect"},
		"onto no file":   {testserver.FTPOptions{RefuseOverwrite: true}, doctor.Warn, "a name that was taken"},
		"as they should": {testserver.FTPOptions{}, doctor.OK, "replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.Root = t.TempDir()
			s, err := testserver.StartFTP(c.server)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			cfg := ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{Password: "password",
				Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true, Ports: ftpx.Ports{FTP: s.Port()}}}
			r, err := doctor.Run(t.Context(), cfg, &doctor.Options{Scratch: "."})
			if err != nil {
				t.Fatal(err)
			}
			f := r.Find("no-rename")
			if len(f) != 1 || f[0].Verdict != c.want || !strings.Contains(strings.Join(f[0].Evidence, " "), c.says) {
				t.Errorf("%+v in\n%s", f, show(t, r))
			}
		})
	}
}
