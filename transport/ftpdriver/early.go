package ftpdriver

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What follows a small file can be on its way before the reply to STOR is here. On
// vsftpd it goes with STOR (see readsLater). ProFTPD answers 450 to what it reads
// during a transfer, or carries it out; but when all of the file and its end have been
// sent, what is sent a moment later arrives when the transfer is over. Where it does
// not, the replies come in another order, which shows, and it is sent again.

// earlyPart of a round trip is the moment.
const earlyPart = 4

// earlyFrom is the round trip from which on that is worth while.
var earlyFrom = 2 * time.Millisecond

// earlyOdds is how it goes with each host.
var earlyOdds odds

// odds counts, for each host, how often something was tried and how often in vain.
type odds struct{ hosts memory[tally] }

type tally struct{ tried, inVain int }

// good reports whether no more than a quarter was in vain.
func (o *odds) good(addr string) bool {
	n := o.hosts.get(addr)
	return 4*n.inVain <= n.tried+8
}

func (o *odds) count(addr string, inVain bool) {
	o.hosts.change(addr, func(n tally) tally {
		if n.tried++; inVain {
			n.inVain++
		}
		return n
	})
}

// readsSoon reports whether to send what follows a file before the reply to STOR:
// with TLS, where the file leaves after the 150 and not before it.
func (c *Conn) readsSoon() bool {
	return c.tls != nil && c.isProFTPD() && c.ctl.rtt >= earlyFrom && earlyOdds.good(c.addr)
}

// finalWithEnds reads the final reply to STOR, and sends what follows the file when
// that has been delivered; ends are those lines, whose replies are still to be read.
func (c *Conn) finalWithEnds(d *dataConn, delivered <-chan struct{}, path string, f *transport.Finish) (stor reply, begun bool, ends []string, err error) {
	stor, err = c.ctl.receive()
	switch {
	case err != nil:
		return reply{}, false, nil, err
	case !stor.preliminary():
		return c.ctl.last, false, nil, nil
	case c.ctl.broken.Load():
		return reply{}, true, nil, stor.err()
	}
	<-delivered
	pause := time.NewTimer(c.ctl.rtt / earlyPart)
	defer pause.Stop()
	<-pause.C
	if d.err == nil && c.ctl.br.Buffered() == 0 { // else the reply is there
		ends = c.endLines(path, f)
	}
	if len(ends) > 0 {
		if err = c.ctl.send(ends...); err != nil {
			return reply{}, true, nil, err
		}
	}
	stor, _, err = c.ctl.final()
	if err != nil || len(ends) == 0 {
		return stor, true, ends, err
	}
	stor, inOrder, err := c.among(stor, len(ends))
	if !inOrder {
		ends = nil // their replies have been read
	}
	return stor, true, ends, err
}

// among finds the final reply to a transfer among those to the commands that were sent
// before it had come: first came first, and n are still to come. Where first is not it,
// all have been read, and nothing is known of what they were the replies to.
func (c *Conn) among(first reply, n int) (last reply, inOrder bool, err error) {
	inOrder = first.code == 226
	earlyOdds.count(c.addr, !inOrder)
	if inOrder {
		return first, true, nil
	}
	all := []reply{first}
	for range n {
		r, _, err := c.ctl.final()
		if err != nil {
			return reply{}, false, err
		}
		all = append(all, r)
	}
	for _, r := range all {
		if r.code == 226 {
			return r, false, nil
		}
	}
	for _, r := range all { // the transfer's own is among them
		if r.code >= 400 && !strings.Contains(r.text, "transfer in progress") {
			return r, false, nil
		}
	}
	c.ctl.broken.Store(true)
	return reply{}, false, as(transport.KindProtocol, fmt.Errorf("the server ended a transfer in no known way: %w", first.err()))
}

// finalWithPort reads the final reply to RETR, and asks for the next port as soon as the
// server knows that all has arrived, if more files are likely to follow.
func (c *Conn) finalWithPort(d *dataConn, more bool) (last reply, err error) {
	if !more || d.err != nil || !c.readsSoon() || !c.mayAskAhead() {
		last, _, err = c.ctl.final()
		return last, err
	}
	pause := time.NewTimer(c.ctl.rtt / earlyPart)
	defer pause.Stop()
	<-pause.C
	if c.ctl.br.Buffered() > 0 { // the reply is there
		last, _, err = c.ctl.final()
		return last, err
	}
	if err := c.ctl.send("EPSV"); err != nil {
		return reply{}, err
	}
	if last, _, err = c.ctl.final(); err != nil {
		return last, err
	}
	last, inOrder, err := c.among(last, 1)
	if inOrder {
		if r, _, rerr := c.ctl.final(); rerr == nil { // else whoever uses the session next finds it lost
			c.took(r, nil, false)
		}
		c.ctl.last = last
	}
	return last, err
}
