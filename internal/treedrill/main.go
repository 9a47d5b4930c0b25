// Treedrill mirrors a tree of many small files up and down again over a line that
// resets connections, in a process that is killed three times each way.
//
//	go run ./internal/treedrill
//
// takes 20,000 files with names in several scripts to real OpenSSH (SFTP), vsftpd
// (FTP) and ProFTPD (FTPS) and back (Linux, root, see CONTRIBUTING.md), and then
// measures the memory of a mirror of 200,000 entries.
//
//	go run ./internal/treedrill -embedded -files 1000
//
// does so on embedded servers, anywhere.
//
// About 12.7 % of the data connections are reset, and so is that share of the 64 KiB
// segments of the long ones, control and SSH. The process is ended with SIGKILL at three random
// points of each way, and started again by the same command. Then the trees must be
// alike (names, bytes, times to the second, empty folders), a further run must move
// nothing, and nothing unfinished may lie about. The command ends with 1 if
// anything of that is not so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	if os.Getenv(childEnv) != "" {
		childMain()
		return
	}
	files := flag.Int("files", 20000, "number of files of the tree")
	entries := flag.Int("entries", 200000, "number of entries of the mirror whose memory is measured; 0 for none")
	embedded := flag.Bool("embedded", false, "use embedded servers in place of real ones")
	only := flag.String("only", "", "one protocol: sftp, ftp or ftps")
	seed := flag.Uint64("seed", 1, "seed of the tree, the resets and the kills")
	flag.Parse()
	if flag.NArg() > 0 || *files < 20 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var failed error
	start := startReal
	if *embedded {
		start = startEmbedded
	}
	if err := drill(ctx, os.Stdout, *files, *seed, *only, start); err != nil {
		failed = err
	}
	if *entries > 0 && ctx.Err() == nil {
		failed = errors.Join(failed, measureMemory(ctx, os.Stdout, *entries))
	}
	if failed != nil {
		fmt.Fprintln(os.Stderr, "treedrill:", failed)
		os.Exit(1)
	}
}
