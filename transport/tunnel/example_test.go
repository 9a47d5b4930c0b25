package tunnel_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// A server that only the gate's own network reaches.
func Example() {
	gate, err := tunnel.ParseHop("ssh://jumper@gate.example.com")
	if err != nil {
		log.Fatal(err)
	}
	gate.SSH = transport.SSH{IdentityFiles: []string{"/etc/backup/id_ed25519"}}
	t, err := tunnel.New(gate)
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()

	// Programs set ftpx.Options.Dial; this is the driver beneath it.
	c, err := sftpdriver.Dial(context.Background(), &transport.Endpoint{
		Protocol: transport.SFTP,
		Host:     "files.internal",
		User:     "backup",
		SSH:      transport.SSH{IdentityFiles: []string{"/etc/backup/id_ed25519"}},
		Dial:     t.Dial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
}

// A chain, the nearest hop first. Its text has no password.
func ExampleParse() {
	t, err := tunnel.Parse("socks5://me:secret@proxy.example.com", "ssh://jumper@gate.internal:2222")
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	fmt.Println(t)
	// Output: socks5://me@proxy.example.com:1080 ssh://jumper@gate.internal:2222
}
