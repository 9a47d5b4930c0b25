// Jumphost lists a folder on a host that only ssh's configuration knows how to reach: with
// its alias, user, keys and known hosts, and through its jump hosts.
//
//	jumphost backup:archive
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/sshconfig"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, alias string) error {
	c, err := sshconfig.Open(ctx, alias, &ftpx.Options{Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD"))})
	if err != nil {
		return err
	}
	defer c.Close() // and the connections to the jump hosts
	for e, err := range c.List(ctx, "") {
		if err != nil {
			return err
		}
		fmt.Printf("%s\t%d\t%q\n", e.Type, e.Size, e.Name) // quoted: a server's word may hold anything
	}
	return nil
}
