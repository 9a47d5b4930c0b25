package fleetserver_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet/fleetserver"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

func TestRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := t.TempDir()
	s, err := fleetserver.Start(fleetserver.Options{Store: used})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	store := t.TempDir()
	users := map[string]string{"a": "b"}
	for want, o := range map[string]fleetserver.Options{
		"Store is empty":                {},
		"Options.Store: mkdir":          {Store: filepath.Join(file, "x")},
		"in use by another server":      {Store: used},
		"write host:port":               {Store: store, Listen: "localhost"},
		"is not a valid port":           {Store: store, Listen: "127.0.0.1:http"},
		"address already in use":        {Store: store, Listen: taken.Addr().String()},
		"is not loopback":               {Store: store, Listen: "0.0.0.0:0", Users: users},
		"without Listen":                {Store: store, Users: users},
		"without Cert and Key":          {Store: store, Listen: "127.0.0.1:0", ClientCA: file},
		"Options.Cert and Key":          {Store: store, Listen: "127.0.0.1:0", Cert: file, Key: file},
		`Options.Listen ":0" is not lo`: {Store: store, Listen: ":0"},
	} {
		s, err := fleetserver.Start(o)
		if err == nil {
			s.Close()
			t.Errorf("%+v was started", o)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

// TestListensNowhere: what was not asked for is not there, and what was needs a login.
func TestListensNowhere(t *testing.T) {
	s, err := fleetserver.Start(fleetserver.Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if addr := s.Addr(); addr != "" {
		t.Errorf("it listens on %s", addr)
	}
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

func TestLogin(t *testing.T) {
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pair, err := ca.ServerFor("127.0.0.1")
	if err == nil {
		err = pki.WriteKeyPair(pair, cert, key)
	}
	caFile := filepath.Join(dir, "ca.pem")
	if err == nil {
		err = ca.WritePEM(caFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := fleetserver.Start(fleetserver.Options{Store: t.TempDir(), Listen: "127.0.0.1:0", Cert: cert, Key: key, Users: map[string]string{"me": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	url := "tls://" + s.Addr()
	if nc, err := nats.Connect(url, nats.RootCAs(caFile), nats.UserInfo("me", "wrong")); err == nil {
		nc.Close()
		t.Error("a wrong password was taken")
	}
	if nc, err := nats.Connect("nats://"+s.Addr(), nats.UserInfo("me", "secret")); err == nil {
		nc.Close()
		t.Error("a certificate that nobody has signed was taken")
	}
	nc, err := nats.Connect(url, nats.RootCAs(caFile), nats.UserInfo("me", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	in, err := s.Connect() // needs none
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
}

// TestFull: a store that is full refuses, and takes again when there is room.
func TestFull(t *testing.T) {
	s, err := fleetserver.Start(fleetserver.Options{Store: t.TempDir(), MaxStore: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64<<10)
	for n := 0; ; n++ {
		if _, err := js.Publish(t.Context(), "s", data); err != nil {
			break
		}
		if n > 100 {
			t.Fatal("it was never full")
		}
	}
	if err := st.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := js.Publish(t.Context(), "s", data); err == nil {
			return
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
