package memconn

import (
	"errors"
	"net/textproto"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// refusal is a server's definite no.
type refusal struct {
	kind transport.Kind
	code int
	text string
}

// replies holds for each kind an FTP reply that [transport.KindOfReply] takes
// for it. Kinds that no reply stands for have none.
var replies = map[transport.Kind]textproto.Error{
	transport.KindNotExist:    {Code: 550, Msg: "No such file or directory"},
	transport.KindExist:       {Code: 550, Msg: "File exists"},
	transport.KindPermission:  {Code: 550, Msg: "Permission denied"},
	transport.KindName:        {Code: 553, Msg: "File name not allowed"},
	transport.KindNoSpace:     {Code: 452, Msg: "Insufficient storage space"},
	transport.KindQuota:       {Code: 552, Msg: "Transfer aborted (quota)"},
	transport.KindUnsupported: {Code: 502, Msg: "Command not implemented"},
	transport.KindRefused:     {Code: 550, Msg: "Requested action not taken"},
	transport.KindBusy:        {Code: 421, Msg: "Too many connections"},
	transport.KindTemporary:   {Code: 450, Msg: "Requested file action not taken"},
	transport.KindLocked:      {Code: 450, Msg: "Text file busy"},
	transport.KindRestart:     {Code: 554, Msg: "Restart not permitted"},
	transport.KindAuth:        {Code: 530, Msg: "Login incorrect."},
	transport.KindLost:        {Code: 426, Msg: "Connection closed; transfer aborted."},
	transport.KindProtocol:    {Code: 503, Msg: "Bad sequence of commands"},
}

// statusOf returns the SSH_FX code for a kind; most are SSH_FX_FAILURE.
func statusOf(kind transport.Kind) int {
	switch kind {
	case transport.KindNotExist:
		return 2
	case transport.KindPermission:
		return 3
	case transport.KindUnsupported:
		return 8
	}
	return 4
}

// newRefusal fills in what a fault leaves open.
func newRefusal(kind transport.Kind, f Fault) *refusal {
	if kind == transport.KindUnknown {
		kind = transport.KindRefused
	}
	return &refusal{kind: kind, code: f.Code, text: f.Text}
}

func no(kind transport.Kind, text string) *refusal { return &refusal{kind: kind, text: text} }

// error dresses the refusal as the driver of the protocol would.
func (r *refusal) error(ep *transport.Endpoint, op, path string) *transport.Error {
	text, code := r.text, r.code
	if ep.Protocol.IsFTP() {
		reply, ok := replies[r.kind]
		if text == "" {
			text = reply.Msg
		} else if r.code == 0 && ok {
			text += ": " + reply.Msg // so that code and text mean the kind
		}
		if code == 0 {
			code = reply.Code
		}
		if code == 0 {
			return ep.Fail(op, path, r.kind, errors.New(text+r.kind.String()))
		}
		return ep.Fail(op, path, r.kind, &textproto.Error{Code: code, Msg: text})
	}
	if text == "" {
		text = r.kind.String()
	}
	e := ep.Fail(op, path, r.kind, errors.New(text))
	if code == 0 {
		code = statusOf(r.kind)
	}
	e.Code = code
	return e
}
