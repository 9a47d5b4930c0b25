//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// machine writes what the figures were taken on, and how.
func machine(w io.Writer, kinds map[ftpx.Protocol]realserver.Kind) error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n## How it was measured\n\n    go run ./internal/bench %s\n\n", strings.Join(os.Args[1:], " "))
	fmt.Fprintf(w, "%s, %s, %d cores, Linux %s, %s.\n", time.Now().Format(time.DateOnly), cpu(), runtime.NumCPU(), unix.ByteSliceToString(u.Release[:]), runtime.Version())
	fmt.Fprintf(w, "Servers: SFTP on %s, FTPS on %s, FTP on %s.\n", kinds[ftpx.SFTP], kinds[ftpx.FTPS], kinds[ftpx.FTP])
	fmt.Fprintf(w, "Versions: %s.\n", strings.Join(versions(), "; "))
	_, err := io.WriteString(w, legend)
	return err
}

// title opens the page.
const title = "# Benchmarks\n"

const legend = `
Every peer is a process of its own. The peers run in turn, and after each run the received files are compared byte by byte.

- *median* is the time from the start of the process to its end, including connecting and logging in.
- *go-ftpx is faster* is the peer's time divided by ours: the median over the rounds.
- *once connected* is the time after the login. For tools it is the median minus that of a session without work.
- CPU time and peak memory are those of the client's processes.
- *turns a file* is the number of round trips for each file.

*go-ftpx* is the command that users run, *ftpx put*, *get*, *mirror* or *ls*, with its defaults and a home folder that holds *.netrc*
and an SSH configuration. *The library* is a program that calls it and does nothing else. Both send to a partial name, check size and
content, set the time and rename. The bare libraries do none of that.

A line (package internal/bench/line) delays each byte by half the round trip. It limits TCP's windows only in the cases that are named
after them.
`

// cpu names the processor.
func cpu() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

var versionNumber = regexp.MustCompile(`[0-9]+\.[0-9][0-9A-Za-z.]*`)

// versions lists the programs and libraries that are there.
func versions() []string {
	var all []string
	for _, p := range []struct {
		name string
		argv []string
	}{
		{"OpenSSH", []string{"ssh", "-V"}}, {"lftp", []string{"lftp", "--version"}}, {"curl", []string{"curl", "--version"}},
		{"rclone", []string{"rclone", "version"}}, {"vsftpd", []string{"vsftpd", "-v"}},
	} {
		out, _ := exec.Command(p.argv[0], p.argv[1:]...).CombinedOutput()
		if v := versionNumber.Find(out); v != nil {
			all = append(all, p.name+" "+string(v))
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/jlaffaye/ftp", "github.com/pkg/sftp", "golang.org/x/crypto":
				all = append(all, d.Path+" "+d.Version)
			}
		}
	}
	return all
}
