//go:build linux

// Command bench measures go-ftpx beside what a user would take instead: the bare
// libraries, OpenSSH's sftp, lftp, curl and rclone, in turns, in one run.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

func main() {
	var err error
	switch os.Getenv(modeVariable) {
	case modeChild:
		err = childMain()
	case modeRun:
		err = runMain()
	default:
		err = benchMain()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the command's flags.
type settings struct {
	cases, peers     *regexp.Regexp
	protos           []ftpx.Protocol
	directions       []bool // up
	rounds           int
	scale            float64
	dir, out         string
	kinds            map[ftpx.Protocol]realserver.Kind
	list             bool
	limit            time.Duration
	profiles, traces string
	forms            *regexp.Regexp // of go-ftpx
	before           string
	connections      int
}

func parse() (s settings, err error) {
	cases := flag.String("case", ".", "regular expression of `names` such as 40ms-64MiB/sftp/up; -list prints them")
	peers := flag.String("peers", ".", "regular expression of peers to run besides go-ftpx")
	forms := flag.String("forms", "^$", "regular expression of forms of go-ftpx to run besides the command: "+strings.Join(formNames(), ", ")+"; more with go run -tags watched")
	flag.StringVar(&s.before, "before", "", "bench of another commit, a `file`: the library is compared with it")
	flag.IntVar(&s.connections, "connections", 0, "--connections of the command (its default)")
	protos := flag.String("proto", "sftp,ftps,ftp", "protocols, separated by commas")
	dir := flag.String("dir", "up,down", "directions, separated by commas")
	flag.IntVar(&s.rounds, "rounds", 0, "how often each peer runs, in turn (1 to 3, by case)")
	flag.Float64Var(&s.scale, "size", 1, "factor of all sizes and counts")
	flag.StringVar(&s.dir, "work", defaultWork(), "folder for files and servers' roots; one in memory, so that no disk is measured")
	flag.StringVar(&s.out, "out", "", "file for the tables, besides standard output")
	flag.StringVar(&s.profiles, "profile", "", "folder for CPU and allocation profiles of the Go programs")
	flag.StringVar(&s.traces, "trace", "", "folder for the commands and replies of go-ftpx; it costs time")
	ftpServer := flag.String("ftp", "vsftpd", "server for FTP: vsftpd or ProFTPD")
	ftpsServer := flag.String("ftps", "ProFTPD", "server for FTPS: vsftpd or ProFTPD")
	flag.DurationVar(&s.limit, "limit", 5*time.Minute, "how long one run of one peer may take")
	flag.BoolVar(&s.list, "list", false, "print the names of the cases")
	flag.Parse()
	if flag.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if s.cases, err = regexp.Compile(*cases); err != nil {
		return s, err
	}
	if s.peers, err = regexp.Compile(*peers); err != nil {
		return s, err
	}
	if s.forms, err = regexp.Compile(*forms); err != nil {
		return s, err
	}
	for p := range strings.SplitSeq(*protos, ",") {
		proto, err := ftpx.ParseProtocol(p)
		if err != nil {
			return s, err
		}
		s.protos = append(s.protos, proto)
	}
	for d := range strings.SplitSeq(*dir, ",") {
		if d != "up" && d != "down" {
			return s, fmt.Errorf("-dir %s: use up or down", d)
		}
		s.directions = append(s.directions, d == "up")
	}
	if s.rounds < 0 || s.connections < 0 || s.scale <= 0 {
		return s, errors.New("-rounds, -connections and -size must be positive")
	}
	if s.before != "" {
		if s.before, err = filepath.Abs(s.before); err != nil {
			return s, err
		}
		if _, err := os.Stat(s.before); err != nil {
			return s, fmt.Errorf("-before: %w: build it with go build ./internal/bench in a checkout of the other commit", err)
		}
	}
	s.kinds = map[ftpx.Protocol]realserver.Kind{
		ftpx.SFTP: realserver.OpenSSH, ftpx.FTP: realserver.Kind(*ftpServer), ftpx.FTPS: realserver.Kind(*ftpsServer),
	}
	return s, nil
}

// defaultWork is a folder in memory where there is one.
func defaultWork() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

func benchMain() error {
	s, err := parse()
	if err != nil {
		return err
	}
	if s.list {
		for _, sc := range scenarios(s.scale) {
			s.each(sc, func(p ftpx.Protocol, up bool) error { fmt.Println(sc.id(p, up)); return nil })
		}
		return nil
	}
	for variable, dir := range map[string]string{profileVariable: s.profiles, traceVariable: s.traces} {
		if dir == "" {
			continue
		}
		// The Go programs that are measured inherit it.
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Setenv(variable, dir)); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := newRig(ctx, s.dir, s.kinds)
	if err != nil {
		return err
	}
	defer r.close()
	r.before = s.before
	collector, stopCollector := collect()
	defer stopCollector()
	r.collector = collector
	var first, head, tables, goals bytes.Buffer
	if err := machine(io.MultiWriter(os.Stdout, &head), s.kinds); err != nil {
		return err
	}
	verdicts, err := s.run(ctx, r, io.MultiWriter(os.Stdout, &tables))
	summary(io.MultiWriter(os.Stdout, &goals), verdicts)
	overview(&first, verdicts)
	if s.out != "" {
		text := slices.Concat([]byte(title), first.Bytes(), head.Bytes(), goals.Bytes(), []byte("\n## Cases\n"), tables.Bytes())
		err = errors.Join(err, os.WriteFile(s.out, text, 0o644))
	}
	return err
}

// each calls f for the protocols and directions of a scenario that are wanted.
func (s *settings) each(sc scenario, f func(p ftpx.Protocol, up bool) error) error {
	var failed error
	for _, p := range s.protos {
		for _, up := range s.directions {
			if up && !sc.up || !s.cases.MatchString(sc.id(p, up)) {
				continue
			}
			failed = errors.Join(failed, f(p, up))
		}
	}
	return failed
}

// run goes through the cases. What fails of ours is an error; a peer that fails
// is shown in the table.
func (s *settings) run(ctx context.Context, r *rig, w io.Writer) (verdicts []verdict, failed error) {
	all := slices.DeleteFunc(peers(), func(p peer) bool { return !s.wants(&p) })
	var records []record
	for _, sc := range scenarios(s.scale) {
		rounds := sc.rounds
		if s.rounds > 0 {
			rounds = s.rounds
		}
		failed = errors.Join(failed, s.each(sc, func(p ftpx.Protocol, up bool) error {
			if ctx.Err() != nil {
				return nil
			}
			id := sc.id(p, up)
			fmt.Fprintln(os.Stderr, id)
			pl, err := r.place(ctx, p, &sc)
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			defer pl.close()
			j := &job{scenario: sc, place: pl, rig: r, up: up, connections: s.connections}
			peers := all
			if sc.alone {
				peers = slices.DeleteFunc(slices.Clone(all), func(p peer) bool { return p.rank > kin })
			}
			list, err := compare(ctx, j, peers, rounds, s.limit)
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			table(w, j, list)
			verdicts = append(append(verdicts, judge(j, list)...), costs(j, list)...)
			records = append(records, record{id, median(of(list[0], wall))})
			if list[0].err != nil {
				return fmt.Errorf("%s: %w", id, list[0].err)
			}
			return nil
		}))
	}
	return append(verdicts, proportion(records)...), errors.Join(failed, ctx.Err())
}

// wants reports whether a peer is to run.
func (s *settings) wants(p *peer) bool {
	switch p.rank {
	case us:
		return true
	case kin:
		return s.forms.MatchString(p.name) || s.before != "" && (p.name == libraryName || p.name == beforeName)
	}
	return s.peers.MatchString(p.name)
}

func formNames() (names []string) {
	for _, p := range peers() {
		if p.rank == kin && p.name != beforeName {
			names = append(names, p.name)
		}
	}
	return names
}

// id names a case.
func (sc *scenario) id(p ftpx.Protocol, up bool) string {
	return fmt.Sprintf("%s/%s/%s", sc.name, p, direction(up))
}

func direction(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

func (j *job) title() string {
	return fmt.Sprintf("%s (%s, %s)", j.id(j.proto(), j.up), j.place.server.Kind, label(j.line))
}
