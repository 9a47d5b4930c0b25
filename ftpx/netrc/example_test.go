package netrc_test

import (
	"fmt"
	"log"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/netrc"
)

// A login of ~/.netrc for a client. A password does not print.
func Example() {
	f, err := netrc.Parse(`machine files.example login alice password "correct horse"`) // netrc.Load() reads ~/.netrc
	if err != nil {
		log.Fatal(err)
	}
	cfg := ftpx.Config{Host: "files.example"}
	if login, password, ok := f.Lookup(cfg.Host, cfg.User); ok {
		cfg.User, cfg.Password = login, password
	}
	fmt.Println(cfg.User, cfg.Password)
	// Output: alice [secret]
}
