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
	earlyOdds.count(c.addr, stor.code != 226)
	if stor.code == 226 {
		return stor, true, ends, nil
	}
	// It is not the reply to STOR, if one of those that follow is: nothing is then
	// known of the rest.
	all := []reply{stor}
	for range ends {
		r, _, err := c.ctl.final()
		if err != nil {
			return reply{}, true, nil, err
		}
		all = append(all, r)
	}
	for _, r := range all {
		if r.code == 226 {
			return r, true, nil, nil
		}
	}
	for _, r := range all { // STOR's own is among them
		if r.code >= 400 && !strings.Contains(r.text, "transfer in progress") {
			return r, true, nil, nil
		}
	}
	c.ctl.broken.Store(true)
	return reply{}, true, nil, as(transport.KindProtocol, fmt.Errorf("the server ended a transfer in no known way: %w", stor.err()))
}
