package session

import (
	"errors"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// sameAnswers is how often a server may give the same answer on one connection until it is
// taken for its last word; on another connection the second is.
const sameAnswers = 3

// answers are what a server has said to the attempts of one operation. What it calls
// temporary, or what makes no sense, is its last word when it says it again, word for
// word: "failure" is all that many have to say about a name that they will never take, and
// to ask for a minute and a half brings nothing but the same.
type answers struct {
	said  string
	from  *pooled
	times int
}

func (a *answers) judge(err error, l *Lease) error {
	var te *transport.Error
	if !errors.As(err, &te) || !l.Usable() || !repeats(te) {
		return err
	}
	if said := te.Error(); l.Attempt.Progressed() || said != a.said {
		*a = answers{said: said, from: l.conn, times: 1}
		return err
	}
	if a.times++; l.conn == a.from && a.times < sameAnswers {
		return err
	}
	return retry.Stop(err)
}

// repeats reports whether an error is an answer of the server's that another attempt might
// change, and that says nothing about when.
func repeats(te *transport.Error) bool {
	switch te.Kind {
	case transport.KindTemporary:
		return te.Code != 0 && te.RetryAfter == 0
	case transport.KindProtocol:
		return true
	}
	return false
}
