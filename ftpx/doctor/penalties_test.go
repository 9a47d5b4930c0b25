package doctor_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// manyTimes is how often a monitoring system may have come by within some minutes.
const manyTimes = 20

// gentle is the test of a server that punishes by OpenSSH's defaults: after many runs the
// next login succeeds, while as many connections that just leave are shut out.
func gentle(t *testing.T, cfg ftpx.Config, addr string, forgive func()) {
	t.Helper()
	for i := range manyTimes {
		r, err := doctor.Run(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Worst() == doctor.Fail {
			t.Fatalf("run %d:\n%s", i, show(t, r))
		}
	}
	client, err := ftpx.New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("the login after %d runs: %v", manyTimes, err)
	}
	client.Close()

	forgive()
	for range manyTimes {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		// Up to the version, so that the server has begun to serve it.
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _ = c.Read(make([]byte, 64))
		c.Close()
	}
	shut := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		cfg := cfg
		cfg.Retry.MaxAttempts = 1
		client, err := ftpx.New(ctx, cfg)
		if err == nil {
			client.Close()
			return false
		}
		return ftpx.KindOf(err) == transport.KindBusy
	}
	for deadline := time.Now().Add(10 * time.Second); !shut(); {
		// The server notices the end of the last connections when it does.
		if time.Now().After(deadline) {
			t.Fatalf("%d connections that left are not shut out", manyTimes)
		}
		time.Sleep(20 * time.Millisecond)
	}
	r, err := doctor.Run(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, f := r.First(); f == nil || f.Code != "ssh-penalty" || f.Directive != "PerSourcePenaltyExemptList" {
		t.Errorf("what is said of it:\n%s", show(t, r))
	}
}

// TestPenalties: runs do not draw OpenSSH's penalties.
func TestPenalties(t *testing.T) {
	s := ftpxtest.NewServer(t, ftpx.SFTP)
	p := ftpxtest.DefaultPenalties()
	s.SetPenalties(&p)
	cfg := configOf(t, s, ftpx.SFTP)
	gentle(t, cfg, net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port(ftpx.SFTP))), func() { s.SetPenalties(&p) })
}

// TestPenaltiesOfFailures: three refused logins and a little more are enough.
func TestPenaltiesOfFailures(t *testing.T) {
	s := ftpxtest.NewServer(t, ftpx.SFTP)
	p := ftpxtest.DefaultPenalties()
	s.SetPenalties(&p)
	cfg := configOf(t, s, ftpx.SFTP)
	cfg.Password = "wrong"
	runs := 0
	for code := ""; code != "ssh-penalty"; runs++ {
		r, err := doctor.Run(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, f := r.First()
		if code = f.Code; code != "login-refused" && code != "ssh-penalty" || runs == 1000 {
			t.Fatalf("run %d: %s", runs, code)
		}
	}
	if runs < 4 {
		t.Errorf("shut out after %d runs: 15 s have not come together", runs-1)
	}
	s.SetPenalties(nil)
	cfg = configOf(t, s, ftpx.SFTP)
	if r, err := doctor.Run(t.Context(), cfg, nil); err != nil || r.Worst() == doctor.Fail {
		t.Errorf("without penalties: %v", err)
	}
}
