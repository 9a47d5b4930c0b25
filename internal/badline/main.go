// Badline measures what a line that resets connections costs, in bytes sent
// beyond need.
//
//	go run ./internal/badline -many 10000
//
// makes ten thousand uploads and downloads of mixed sizes with 12.7 % of the
// connections reset, over SFTP, FTPS and FTP on embedded servers, compares every
// file, and prints the extra bytes beside those that starting again from zero
// after each reset would have cost.
//
//	go run ./internal/badline -gigabyte
//
// sends and fetches 1 GiB through a line that resets every connection after 10
// MiB, on real OpenSSH, vsftpd and ProFTPD (Linux, root, see CONTRIBUTING.md),
// and with -peers lets lftp and curl do the same uploads.
//
// It ends with 1 if a file is not whole, or a figure is beyond its bound.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	many := flag.Int("many", 0, "number of transfers of mixed sizes")
	gigabyte := flag.Bool("gigabyte", false, "one large file over each protocol, each way, on real servers")
	size := flag.Int64("size", 1<<30, "size of the large file in bytes")
	peers := flag.Bool("peers", false, "with -gigabyte, let lftp and curl do the FTP uploads too; lftp takes its time")
	seed := flag.Uint64("seed", 1, "seed of sizes and resets")
	flag.Parse()
	if *many <= 0 && !*gigabyte || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok := true
	if *many > 0 {
		ok = report(runMany(ctx, *many, *seed)) && ok
	}
	if *gigabyte {
		ok = report(runLarge(ctx, *size, *peers)) && ok
	}
	if !ok {
		os.Exit(1)
	}
}

func report(err error) bool {
	if err != nil {
		fmt.Fprintln(os.Stderr, "badline:", err)
	}
	return err == nil
}
