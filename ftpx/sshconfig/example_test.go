package sshconfig_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/sshconfig"
)

// A program reaches a host as the user's ssh does, by its alias. sshconfig.Open does so
// with ~/.ssh/config.
func ExampleConfig_Open() {
	srv, err := ftpxtest.Start(ftpx.SFTP) // a program has a host instead
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	dir, err := os.MkdirTemp("", "sshconfig-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	_, knownHosts, err := srv.WriteTrust(dir)
	if err != nil {
		log.Fatal(err)
	}
	config, err := sshconfig.Parse("config", fmt.Sprintf(`
Host backup
	HostName 127.0.0.1
	Port %d
	User %s
	UserKnownHostsFile %q
	IdentityFile none
`, srv.Port(ftpx.SFTP), srv.User, knownHosts))
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	c, err := config.Open(ctx, "backup:in", &ftpx.Options{Password: ftpx.Secret(srv.Password)})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Put(ctx, "report.csv", strings.NewReader("a,b\n"), &ftpx.PutOptions{CreateDirs: true}); err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(srv.Root, "in", "report.csv"))
	fmt.Printf("%q %v\n", data, err)
	// Output: "a,b\n" <nil>
}

// What ssh would do, without connecting: the address, the user, the jump hosts.
func ExampleConfig_Resolve() {
	config, err := sshconfig.Parse("config", `
Host *.internal
	ProxyJump bastion.example.com
	User deploy
`)
	if err != nil {
		log.Fatal(err)
	}
	s, err := config.Resolve("db.internal")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.User, net.JoinHostPort(s.HostName, "22"), "by", s.Hops()[0].Host)
	// Output: deploy db.internal:22 by bastion.example.com
}
