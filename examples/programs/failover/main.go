// Failover sends a file to the first of two hosts that works, and says where it is. Both
// take the same login; a Standby may have its own, its own port, keys and host key.
//
//	FTPX_PASSWORD=... failover sftp://user@a.example.com/in b.example.com report.csv
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url, second, file string) error {
	standby := ftpx.Standby{Host: second}
	if host, port, err := net.SplitHostPort(second); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil {
			return fmt.Errorf("the port of %s: %w", second, err)
		}
		standby.Host, standby.Ports.SFTP = host, n
	}
	c, err := ftpx.Open(ctx, url, &ftpx.Options{
		Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD")),
		Standbys: []ftpx.Standby{standby},
		Retry:    ftpx.RetryPolicy{MaxElapsed: 2 * time.Minute}, // without progress
	})
	if err != nil {
		return err
	}
	defer c.Close()
	res, err := c.Upload(ctx, file, filepath.Base(file), nil)
	var hosts *ftpx.HostsError
	if errors.As(err, &hosts) {
		for i, host := range hosts.Hosts {
			fmt.Println(host, "does not work:", ftpx.KindOf(hosts.Errs[i]))
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s is on %s, checked by %v\n", filepath.Base(file), res.Addr, res.Verified)
	return nil
}
