package faultproxy_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// Embedded servers behind a line on which every upload loses its tail.
func Example() {
	root, err := os.MkdirTemp("", "faultproxy")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(root)

	proxy := faultproxy.New(faultproxy.Options{Seed: 1})
	defer proxy.Close()
	trio, err := testserver.StartTrio(testserver.TrioOptions{
		Root: root,
		PassivePorts: proxy.PassivePorts(faultproxy.PassiveOptions{
			Plan: faultproxy.Always(faultproxy.FINAt(faultproxy.Up, 7)),
		}),
	})
	if err != nil {
		panic(err)
	}
	defer trio.Close()
	control, err := proxy.Route(faultproxy.RouteOptions{
		Role:   faultproxy.Control,
		Target: trio.FTP.Addr().String(),
	})
	if err != nil {
		panic(err)
	}

	conn, err := ftp.Dial(control.Addr().String())
	if err != nil {
		panic(err)
	}
	defer conn.Quit()
	if err := conn.Login(trio.User, trio.Password); err != nil {
		panic(err)
	}
	fmt.Println("error:", conn.Stor("/file", strings.NewReader("complete and true")))
	size, err := conn.FileSize("/file")
	fmt.Println("size:", size, err)
	// Output:
	// error: <nil>
	// size: 7 <nil>
}
