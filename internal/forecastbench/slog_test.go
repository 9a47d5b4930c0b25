package main

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxslog"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// -trace reads what package ftpxslog writes, and not only what a test here says that it
// writes.
func TestReadsFtpxslog(t *testing.T) {
	var log bytes.Buffer
	h := ftpxslog.New(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
	for _, kind := range []transport.Kind{0, transport.KindTimeout, transport.KindAuth, transport.KindLost, transport.KindCanceled} {
		end := ftpx.DialEnd{Duration: time.Second}
		if kind != 0 {
			end.Err = &transport.Error{Op: "dial", Kind: kind}
		}
		_, finish := h.Dial(t.Context(), ftpx.DialInfo{ID: 1, Conn: 1, Host: "h", Protocol: ftpx.SFTP, Addr: "h:22"})
		finish(end)
		_, done := h.Operation(t.Context(), ftpx.OperationInfo{ID: 1, Op: "upload", Host: "h"})
		done(ftpx.OperationEnd{})
	}
	all, err := readLog(&log)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[0]) != 3 || all[0][0].failed || !all[0][1].failed || !all[0][2].failed {
		t.Errorf("%v, want one that went well, one that timed out and one that was lost", all)
	}
}
