package ftpdriver

import (
	"context"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// beside is a data connection that is dialled while the commands for it are on their
// way, and what ends that.
type beside struct {
	*dataConn
	c       *Conn
	done    context.CancelFunc // ends the dialling
	cancel  context.CancelFunc // ends the handshake
	reached chan struct{}      // closed when either is over
}

// dialBeside begins to dial a data connection to port. Until join only the control
// connection may be used. With silent our direction is ended as soon as it stands.
func (c *Conn) dialBeside(op *transport.Op, port int, silent bool) *beside {
	dial, done := context.WithTimeout(op.Context(), c.ep.ConnectBudget())
	// Servers begin TLS after the 150, for which there is a limit of its own.
	shake, cancel := context.WithCancel(op.Context())
	b := &beside{dataConn: &dataConn{ctl: c.ctl, op: op}, c: c, done: done, cancel: cancel, reached: make(chan struct{})}
	c.ctl.dials(c.ep.ConnectBudget())
	go func() {
		defer close(b.reached)
		if c.connectData(dial, b.dataConn, port) {
			c.ctl.dialled()
			c.secureData(shake, b.dataConn)
		}
		if silent && b.err == nil {
			c.nothingToSend(b.dataConn)
		}
	}()
	return b
}

// giveUp ends what has not been reached yet.
func (b *beside) giveUp() {
	b.done()
	b.cancel()
	b.join()
}

// join waits until the data connection stands, or has failed.
func (b *beside) join() {
	<-b.reached
	b.c.ctl.dials(0)
}

// free is for the end, whatever it was.
func (b *beside) free() {
	b.giveUp()
	if b.wire != nil {
		b.release()
	}
}

// inVain takes note, after join, of a port that had been asked for early and that
// could not be reached.
func (b *beside) inVain(early bool) {
	if early && b.wire == nil && b.err != nil && b.op.Context().Err() == nil && !errors.Is(b.err, context.Canceled) {
		lateHosts.add(b.c.addr)
	}
}
