// Command goftp-server is an FTP server of goftp.io/server/v2, for tests. Its argument is
// the settings, a file of JSON. It is a module of its own, so that the library's go.mod
// knows nothing of that server.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"syscall"

	"goftp.io/server/v2"
	"goftp.io/server/v2/driver/file"
)

type settings struct {
	Host           string
	Port           int
	Lo             int `json:"passive_lo"`
	Hi             int `json:"passive_hi"`
	User, Password string
	Root           string
	UID, GID       int
	TLS            bool
	Required       bool `json:"tls_required"`
	Pair           string
}

func main() {
	if err := serve(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func serve(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var s settings
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	files, err := file.NewDriver(s.Root)
	if err != nil {
		return err
	}
	srv, err := server.NewServer(&server.Options{
		Driver: files, Auth: &server.SimpleAuth{Name: s.User, Password: s.Password}, Perm: server.NewSimplePerm(s.User, s.User),
		Hostname: s.Host, Port: s.Port, PublicIP: s.Host, PassivePorts: fmt.Sprintf("%d-%d", s.Lo, s.Hi),
		TLS: s.TLS, ExplicitFTPS: s.TLS, ForceTLS: s.Required, CertFile: s.Pair, KeyFile: s.Pair,
	})
	if err != nil {
		return err
	}
	// The key is root's to read; owners of what is stored are the login's.
	if err := os.Chown(s.Pair, s.UID, s.GID); s.TLS && err != nil {
		return err
	}
	syscall.Umask(0o022)
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(s.GID); err != nil {
		return err
	}
	if err := syscall.Setuid(s.UID); err != nil {
		return err
	}
	return srv.ListenAndServe()
}
