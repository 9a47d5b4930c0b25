package ftpdriver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What follows a small file leaves with the command for it, in one write. vsftpd reads
// it when the transfer is over. ProFTPD looks into its socket during a transfer, and
// answers 450 to a command that it finds there, or carries it out; but it has taken
// from the socket, with the command for the transfer, all that came in the same TLS
// record or segment, and does not see there what it has taken. Where a server does, the
// replies come in another order, which shows, and what was refused is sent again.

// oneRead is how much ProFTPD surely takes at once: as much as a command may be long,
// CommandBufferSize, 4 KiB and more unless it is set. Under TLS it would not look for
// the rest of a record before more arrives.
const oneRead = 500

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

// readsLater reports whether the server leaves ends alone until the transfer that
// lines ask for is over, if they are sent with them. Of other servers than these it is
// not known.
func (c *Conn) readsLater(lines, ends []string) bool {
	if !c.isProFTPD() {
		return c.isVSFTPD()
	}
	n := 0
	for _, line := range slices.Concat(lines, ends) {
		n += len(line) + len("\r\n")
	}
	return n <= oneRead && earlyOdds.good(c.addr)
}

// ordered finds the final reply to a transfer that ends were sent with: last came
// first. What it returns of ends is to be read still.
func (c *Conn) ordered(last reply, ends []string) (reply, []string, error) {
	if len(ends) == 0 || !c.isProFTPD() {
		return last, ends, nil
	}
	last, inOrder, err := c.among(last, len(ends))
	if !inOrder {
		ends = nil
	}
	return last, ends, err
}

// among finds the final reply to a transfer among those to the commands that were sent
// with it: first came first, and n are still to come. Where first is not it, all have
// been read, and nothing is known of what they were the replies to.
func (c *Conn) among(first reply, n int) (last reply, inOrder bool, err error) {
	if first.code == 226 {
		earlyOdds.count(c.addr, false)
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
			earlyOdds.count(c.addr, true)
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
