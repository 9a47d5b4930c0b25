package doctor

import (
	"crypto/rand"
	"io"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ask sends what only asks. A refusal here stops nothing; a lost connection does.
func (s *seen) ask(c *control) {
	for _, q := range []struct {
		line string
		to   *reply
	}{{"SYST", &s.ftp.syst}, {"FEAT", &s.ftp.feat}} {
		r, err := c.command(q.line)
		if err != nil {
			s.stopAt(atServed, "waiting for the answer to "+q.line, err, reply{})
			return
		}
		*q.to = r
	}
	s.software = softwareOf(s.server, "\n"+s.ftp.feat.text)
	lines := []string{"TYPE I"}
	if s.ep.Protocol.Secure() {
		lines = append(lines, "PBSZ 0", "PROT P")
	}
	for _, line := range lines {
		r, err := c.command(line)
		if err != nil {
			s.stopAt(atServed, "waiting for the answer to "+line, err, reply{})
			return
		}
		if line == "PROT P" && !r.positive() {
			s.stopAt(atServed, "asking for protected data connections", nil, r)
			return
		}
	}
	if s.lists("AVBL") {
		s.ftp.avbl, _ = c.command("AVBL")
	}
}

// lists reports whether FEAT names a feature.
func (s *seen) lists(feature string) bool {
	for line := range strings.SplitSeq(s.ftp.feat.text, "\n") {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.EqualFold(name, feature) {
			return true
		}
	}
	return false
}

// tryVerbs tries commands that a client relies on with a name that does not exist, so that
// nothing is touched: a server that has the command says that there is no such file.
func (s *seen) tryVerbs(c *control) {
	name := "ftpx-doctor-" + rand.Text()
	for _, v := range []string{"SIZE", "MDTM", "MLST", "RNFR"} {
		t := verbTried{verb: v, listed: s.lists(v)}
		if v == "MLST" && !t.listed {
			continue // SIZE and MDTM do without
		}
		var err error
		if t.reply, err = c.command(v + " " + name); err != nil {
			s.stopAt(atServed, "waiting for the answer to "+v, err, reply{})
			return
		}
		s.ftp.verbs = append(s.ftp.verbs, t)
	}
	r, err := c.command("REST 1")
	if err != nil {
		s.stopAt(atServed, "waiting for the answer to REST", err, reply{})
		return
	}
	if s.ftp.rest = r; r.code == 350 {
		_, _ = c.command("REST 0")
	}
}

// tryPipelining sends two commands that do nothing in one write. The drivers pipeline; an
// inspecting firewall that allows one command at a time cuts the line for it.
func (s *seen) tryPipelining(c *control) {
	if slices.Contains([]Software{IIS}, s.software) {
		return // the driver sends it one at a time
	}
	c.deadline(s.opt.StepTimeout)
	_, err := io.WriteString(c.conn, "NOOP\r\nNOOP\r\n")
	for i := 0; i < 2 && err == nil; i++ {
		_, err = c.read()
	}
	s.ftp.pipelined, s.ftp.pipelinedSet = err, true
	if err != nil && c.ctx.Err() == nil {
		s.stopAt(atServed, "sending two commands in one write", err, reply{})
	}
}

// idleFTP leaves the session without a word, and then says one.
func (s *seen) idleFTP(c *control) {
	s.asked.idleTried = true
	s.asked.idleTook = s.opt.Idle
	if !pause(c.ctx, s.opt.Idle) {
		s.asked.idleTried = false
		return
	}
	s.asked.idleReply, s.asked.idleErr = c.command("NOOP")
	if s.asked.idleErr != nil && transport.KindOf(s.asked.idleErr) == transport.KindLost && s.asked.idleReply.code == 0 {
		// The server may have said why before it left.
		if r, err := c.next(s.opt.StepTimeout); err == nil {
			s.asked.idleReply = r
		}
	}
}
