package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// configOf is the configuration for a server of package ftpxtest, by one protocol.
func configOf(t *testing.T, s *ftpxtest.Server, p ftpx.Protocol) ftpx.Config {
	t.Helper()
	o := s.Options()
	o.Protocols = []ftpx.Protocol{p}
	o.AllowPlaintext = p == ftpx.FTP
	cfg, err := ftpx.ParseURL(s.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Protocols = o.Protocols
	return cfg
}

func show(t *testing.T, r *doctor.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, true); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHealthy: on servers that are well nothing fails, and the scratch folder is gone.
func TestHealthy(t *testing.T) {
	s := ftpxtest.NewServer(t)
	if err := os.Mkdir(filepath.Join(s.Root, "scratch"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			before := s.Stats()
			r, err := doctor.Run(t.Context(), configOf(t, s, p), &doctor.Options{CertSoon: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if w := r.Worst(); w == doctor.Fail || w == doctor.Warn {
				t.Errorf("%s:\n%s", w, show(t, r))
			}
			after := s.Stats()
			if n := after.Logins - before.Logins; n != 1 {
				t.Errorf("%d logins, want 1", n)
			}
			if n := after.Connections - before.Connections; n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
			r, err = doctor.Run(t.Context(), configOf(t, s, p), &doctor.Options{Scratch: "scratch", Connections: 3, CertSoon: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if r.Worst() == doctor.Fail || len(r.Left) > 0 {
				t.Errorf("left %q:\n%s", r.Left, show(t, r))
			}
			left, err := os.ReadDir(filepath.Join(s.Root, "scratch"))
			if err != nil || len(left) > 0 {
				t.Errorf("the scratch folder holds %v, %v", left, err)
			}
		})
	}
}
