package ftpdriver

// Late is what becomes of a rename that was left to the next operation. It is
// settled when its reply is there, or when the connection is lost or closed. Its
// methods, but for Settle, are safe for concurrent use.
type Late struct {
	done     chan struct{}
	err      error
	withdraw func() bool
}

// NewLate is for implementations of RenameLater: withdraw takes the rename out of
// the queue and returns false if it has left it.
func NewLate(withdraw func() bool) *Late {
	return &Late{done: make(chan struct{}), withdraw: withdraw}
}

// Settle is for implementations: err is as of Rename. It is called once.
func (l *Late) Settle(err error) {
	l.err = err
	close(l.done)
}

// Done is closed when the rename is settled.
func (l *Late) Done() <-chan struct{} { return l.done }

// Err is the error of the rename, as Rename would return it, once Done is closed.
func (l *Late) Err() error { return l.err }

// Withdraw takes back a rename that has not been sent, which it reports; it is not
// settled then. False means that it is or will be settled.
func (l *Late) Withdraw() bool { return l.withdraw() }
