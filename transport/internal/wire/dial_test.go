package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestConnectFailure(t *testing.T) {
	ep := &transport.Endpoint{Protocol: transport.SFTP, Host: "h"}
	live := context.Background()
	for want, err := range map[transport.Kind]error{
		transport.KindTimeout:     context.DeadlineExceeded,
		transport.KindUnreachable: syscall.ECONNREFUSED,
		transport.KindLost:        io.EOF,
	} {
		if e := ConnectFailure(live, ep, "dial", err); e.Kind != want || e.Op != "dial" || !errors.Is(e, err) {
			t.Errorf("%v: %+v", err, e)
		}
	}
	if e := ConnectFailure(live, ep, "handshake", os.ErrDeadlineExceeded); e.Kind != transport.KindTimeout {
		t.Errorf("a handshake past its deadline is %q", e.Kind)
	}
	why := errors.New("the program ends")
	ctx, cancel := context.WithCancelCause(live)
	cancel(why)
	e := ConnectFailure(ctx, ep, "dial", net.ErrClosed)
	if e.Kind != transport.KindCanceled || !errors.Is(e, context.Canceled) || !errors.Is(e, why) || !errors.Is(e, net.ErrClosed) {
		t.Errorf("cancelled: %+v: %v", e, e)
	}
}

func TestKindOfRealDials(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ep := &transport.Endpoint{Protocol: transport.FTP, Host: "127.0.0.1"}
	_, err = Dial(t.Context(), ep, addr)
	if transport.KindOf(err) != transport.KindUnreachable {
		t.Errorf("refused: %v is %q", err, transport.KindOf(err))
	}

	_, err = (&net.Dialer{Timeout: time.Nanosecond}).Dial("tcp", addr)
	if transport.KindOf(err) != transport.KindTimeout {
		t.Errorf("the dialer's timeout: %v is %q", err, transport.KindOf(err))
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Dial(ctx, ep, addr)
	if transport.KindOf(err) != transport.KindCanceled {
		t.Errorf("cancelled: %v is %q", err, transport.KindOf(err))
	}

	late, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-late.Done()
	_, err = Dial(late, ep, addr)
	if e := ConnectFailure(t.Context(), ep, "dial", err); e.Kind != transport.KindTimeout {
		t.Errorf("out of connect time: %v is %q", err, e.Kind)
	}
	if e := ConnectFailure(late, ep, "dial", err); e.Kind != transport.KindCanceled || !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("out of the caller's time: %v is %q", err, e.Kind)
	}
}
