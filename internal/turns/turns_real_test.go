//go:build linux && realserver

package turns

import (
	"flag"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	benchline "github.com/seed01fc2e40/go-ftpx/internal/bench/line"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

var elapsed = flag.Bool("elapsed", false, "take the time, too, of transfers to real servers")

const (
	goldenRealTranscripts = "testdata/transcripts_real.txt"

	// countHost and clockHost are where the lines listen on the servers' own passive
	// ports, so that what a server says about them needs no rewriting.
	countHost = "127.0.0.3"
	clockHost = "127.0.0.4"

	trip = 20 * time.Millisecond // of the line on which the time is taken
)

// A realServer is a real one and the line on which the time is taken.
type realServer struct {
	*server
	clockPort int
}

// realServers starts the servers that the field runs.
func realServers(t testing.TB) []*realServer {
	t.Helper()
	realtest.Require(t, realserver.Kinds()...)
	var all []*realServer
	for _, o := range []struct {
		name  string
		proto ftpx.Protocol
		opt   realserver.Options
	}{
		{"openssh sftp", ftpx.SFTP, realserver.Options{Kind: realserver.OpenSSH}},
		{"vsftpd ftp", ftpx.FTP, realserver.Options{Kind: realserver.VSFTPD}},
		{"vsftpd ftps", ftpx.FTPS, realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired, RequireReuse: true}},
		{"proftpd ftp", ftpx.FTP, realserver.Options{Kind: realserver.ProFTPD}},
		{"proftpd ftps", ftpx.FTPS, realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, RequireReuse: true}},
		{"pureftpd ftp", ftpx.FTP, realserver.Options{Kind: realserver.PureFTPd}},
	} {
		all = append(all, startReal(t, o.name, o.proto, o.opt))
	}
	return all
}

func startReal(t testing.TB, name string, proto ftpx.Protocol, opt realserver.Options) *realServer {
	t.Helper()
	srv := realtest.Start(t, opt)
	s := &realServer{server: &server{
		name: name, proto: proto, addr: srv.Addr(), user: srv.User, password: srv.Password, hostKeys: srv.HostKeys(),
		authority: srv.CAPool(), root: srv.Root, lineHost: countHost, line: newLine(t),
	}}
	info, err := os.Stat(srv.Root)
	check(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	s.own = func(path string) error { return os.Chown(path, int(owner.Uid), int(owner.Gid)) }

	clock := benchline.New(benchline.Options{RTT: trip})
	t.Cleanup(clock.Close)
	addr, err := clock.Listen(clockHost+":0", srv.Addr())
	check(t, err)
	s.clockPort = addr.Port
	if proto == ftpx.SFTP {
		return s
	}
	_, err = s.line.proxy.MirrorRange(countHost, srv.Host, srv.PassiveLo, srv.PassiveHi, s.line.plan)
	check(t, err)
	check(t, clock.Mirror(clockHost, srv.Host, srv.PassiveLo, srv.PassiveHi))
	return s
}

// timed reports whether the time of a case is taken. That of a login is mostly the
// server's, which checks a password; the line on which the time is taken resets
// nothing; and of a folder over one connection the turns say all. Of 4 MiB that come
// in at once sshd 9.2 makes a second or so of work, in growing its buffers, on a slow
// machine: it takes as long for OpenSSH's own sftp, and hides the round trips.
func (k kind) timed(s *server) bool {
	switch k.name {
	case "small":
		return true
	case "large", "resumed":
		return s.proto != ftpx.SFTP || !k.up
	}
	return false
}

// elapsed does a case a few times and returns how many round trips one takes.
func (k kind) elapsed(t testing.TB, s *realServer) float64 {
	t.Helper()
	var took []float64
	for range 3 {
		took = append(took, k.once(t, s).Seconds()/trip.Seconds())
	}
	slices.Sort(took)
	return tenth(took[1])
}

func (k kind) once(t testing.TB, s *realServer) time.Duration {
	t.Helper()
	opt := s.options()
	opt.Ports = ftpx.Ports{SFTP: s.clockPort, FTP: s.clockPort}
	j := newJob(t, s.server, k)
	j.prepare(t, s.server, choice{})
	c := s.dial(t, clockHost, opt)
	defer c.Close()
	ready(t, c)
	return j.run(t, t.Context(), c)
}

// TestRealTurns freezes the turns of transfers to real servers.
func TestRealTurns(t *testing.T) {
	v := newSurvey(t, goldenRealNumbers, goldenRealTranscripts)
	var servers []*server
	for _, s := range realServers(t) {
		servers = append(servers, s.server)
	}
	v.measure(t, servers, v.count)
	v.judge(t, goldenRealNumbers, goldenRealTranscripts)
	t.Log("\n" + table(v.now))
}

// TestRealElapsed freezes the time of transfers to real servers.
func TestRealElapsed(t *testing.T) {
	if !*elapsed {
		t.Skip("time is taken with -elapsed, on a machine that does nothing beside it")
	}
	v := newSurvey(t, goldenRealNumbers, goldenRealTranscripts)
	for _, s := range realServers(t) {
		t.Run(s.name, func(t *testing.T) { // one after the other: what is measured is time
			for _, k := range kinds() {
				if k.timed(s.server) {
					t.Run(k.String(), func(t *testing.T) { v.clock(t, s, k) })
				}
			}
		})
	}
	v.judge(t, goldenRealNumbers, goldenRealTranscripts)
	t.Log("\n" + table(v.now))
}

// clock takes the time of one case.
func (v *survey) clock(t testing.TB, s *realServer, k kind) {
	t.Helper()
	name := s.name + " " + k.String()
	for range tries {
		v.note(name, colElapsed, k.elapsed(t, s))
		if v.good(name, colElapsed) {
			break
		}
	}
}
