package ftpxslog_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxslog"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func lost(text string) error {
	return &transport.Error{Op: "store", Kind: transport.KindLost, Err: errors.New(text)}
}

// What each event is logged as.
func TestLevels(t *testing.T) {
	upload := ftpx.OperationInfo{ID: 7, Op: "upload", Local: "l", Remote: "r", Host: "h"}
	inner := ftpx.OperationInfo{ID: 8, Parent: 7, Op: "stat", Remote: "r", Host: "h"}
	moved := ftpx.Result{Outcome: ftpx.Done, Size: 5, Moved: 5, Attempts: 2, Protocol: ftpx.SFTP, Addr: "h:22", Verified: ftpx.Verified{Size: true}}
	for _, c := range []struct {
		name string
		do   func(h *ftpx.Hooks)
		want map[string]any
	}{
		{"done", func(h *ftpx.Hooks) {
			ends(h.Operation, upload, ftpx.OperationEnd{Result: moved, Conn: 3, Host: "standby"})
		},
			map[string]any{"level": "INFO", "msg": "operation done", "id": 7.0, "op": "upload", "file.local": "l", "file.remote": "r", "server.host": "standby",
				"server.protocol": "sftp", "server.addr": "h:22", "conn.id": 3.0, "attempts": 2.0, "size": 5.0, "verified": "size"}},
		{"failed", func(h *ftpx.Hooks) {
			ends(h.Operation, upload, ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.NotDone}, Err: lost("reset")})
		}, map[string]any{"level": "ERROR", "msg": "operation failed", "error.kind": "connection lost", "server.host": "h"}},
		{"unknown", func(h *ftpx.Hooks) {
			ends(h.Operation, upload, ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.Unknown}, Err: lost("reset")})
		}, map[string]any{"level": "ERROR", "msg": "outcome unknown"}},
		{"canceled", func(h *ftpx.Hooks) {
			ends(h.Operation, upload, ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.NotDone}, Err: context.Canceled})
		},
			map[string]any{"level": "INFO", "msg": "operation canceled"}},
		{"inner", func(h *ftpx.Hooks) {
			ends(h.Operation, inner, ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.NotDone}, Err: lost("reset")})
		},
			map[string]any{"level": "DEBUG", "msg": "operation failed", "parent": 7.0}},
		{"inner transfer", func(h *ftpx.Hooks) {
			i := upload
			i.Parent = 1
			ends(h.Operation, i, ftpx.OperationEnd{Result: moved})
		}, map[string]any{"level": "INFO", "msg": "operation done", "parent": 1.0}},
		{"inner unknown", func(h *ftpx.Hooks) {
			ends(h.Operation, inner, ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.Unknown}, Err: lost("reset")})
		}, map[string]any{"level": "ERROR", "msg": "outcome unknown"}},
		{"attempt", func(h *ftpx.Hooks) {
			ends(h.Attempt, ftpx.AttemptInfo{ID: 7, Op: "upload", Attempt: 2}, ftpx.AttemptEnd{Conn: 3, Host: "h", Protocol: ftpx.FTP, Shared: true})
		}, map[string]any{"level": "DEBUG", "msg": "attempt ends", "attempt": 2.0, "conn.shared": true, "server.protocol": "ftp"}},
		{"wait", func(h *ftpx.Hooks) {
			ends(h.Acquire, ftpx.AcquireInfo{ID: 7, Host: "h", Wait: ftpx.WaitSlot}, ftpx.AcquireEnd{Duration: time.Second})
		}, map[string]any{"level": "DEBUG", "msg": "waited for a connection", "wait": "slot"}},
		{"dial", func(h *ftpx.Hooks) {
			ends(h.Dial, ftpx.DialInfo{ID: 7, Conn: 3, Host: "h", Protocol: ftpx.SFTP, Addr: "h:22"}, ftpx.DialEnd{
				Phases: []ftpx.DialPhase{{Name: "tcp", Duration: time.Millisecond}, {Name: "ssh", Duration: time.Second, Err: lost("reset")}}, Err: lost("reset")})
		}, map[string]any{"level": "DEBUG", "msg": "connect failed", "phases.tcp": 1e6, "phases.ssh": 1e9, "error.kind": "connection lost"}},
		{"host", func(h *ftpx.Hooks) {
			h.Host(t.Context(), ftpx.HostInfo{ID: 7, Host: "b", Previous: "a", Err: lost("reset")})
		},
			map[string]any{"level": "INFO", "msg": "host changed", "server.host": "b", "previous": "a"}},
		{"retry", func(h *ftpx.Hooks) {
			h.Retry(t.Context(), ftpx.RetryInfo{ID: 7, Op: "upload", Attempt: 1, Err: lost("reset"), Delay: time.Second, Offset: 9})
		}, map[string]any{"level": "WARN", "msg": "retry", "delay": 1e9, "offset": 9.0}},
		{"resume refused", func(h *ftpx.Hooks) {
			h.Retry(t.Context(), ftpx.RetryInfo{ID: 7, Op: "upload", Attempt: 1, Err: &transport.Error{Kind: transport.KindRestart}})
		}, map[string]any{"level": "WARN", "msg": "resume refused"}},
		{"resume", func(h *ftpx.Hooks) { h.Resume(t.Context(), ftpx.ResumeInfo{ID: 7, Offset: 9, Size: 10, Proof: "tail"}) },
			map[string]any{"level": "DEBUG", "msg": "resumed", "proof": "tail"}},
		{"verified", func(h *ftpx.Hooks) { h.Verify(t.Context(), ftpx.VerifyInfo{ID: 7}) }, map[string]any{"level": "DEBUG", "msg": "verified"}},
		{"not verified", func(h *ftpx.Hooks) { h.Verify(t.Context(), ftpx.VerifyInfo{ID: 7, Err: ftpx.ErrMismatch}) },
			map[string]any{"level": "WARN", "msg": "verification failed"}},
		{"breaker", func(h *ftpx.Hooks) {
			h.Breaker(t.Context(), ftpx.BreakerInfo{ID: 7, Host: "h", Open: true, Until: time.Unix(0, 0).UTC(), Err: lost("reset")})
		}, map[string]any{"level": "WARN", "msg": "host is spared", "until": "1970-01-01T00:00:00Z"}},
		{"breaker closes", func(h *ftpx.Hooks) { h.Breaker(t.Context(), ftpx.BreakerInfo{Host: "h", Protocol: ftpx.SFTP}) },
			map[string]any{"level": "INFO", "msg": "host is well again"}},
		{"alarm", func(h *ftpx.Hooks) {
			h.Alarm(ftpx.AlarmInfo{Alarm: ftpx.AlarmResetRate, Host: "h", Protocol: ftpx.SFTP, Raised: true, Value: 0.127, Threshold: 0.005})
		}, map[string]any{"level": "INFO", "msg": "alarm raised", "alarm": "reset-rate", "value": 0.127}},
		{"alarm cleared", func(h *ftpx.Hooks) { h.Alarm(ftpx.AlarmInfo{Alarm: ftpx.AlarmHandshake, Phase: "tls"}) },
			map[string]any{"level": "INFO", "msg": "alarm cleared", "phase": "tls"}},
		{"closed", func(h *ftpx.Hooks) { h.Conn(ftpx.ConnInfo{Conn: 3, Host: "h", Cause: ftpx.CauseReset, InUse: true}) },
			map[string]any{"level": "DEBUG", "msg": "connection closed", "conn.cause": "reset", "conn.in_use": true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, b := hooks(slog.LevelDebug, nil)
			c.do(h)
			all := b.records(t)
			if len(all) == 0 {
				t.Fatal("nothing logged")
			}
			got := all[len(all)-1]
			for k, v := range c.want {
				if got[k] != v {
					t.Errorf("%s is %v, want %v, in %v", k, got[k], v, got)
				}
			}
			if _, ok := got[""]; ok {
				t.Errorf("an attribute without a name: %v", got)
			}
		})
	}
}

// What is not wanted costs nothing: at Info there are no hooks for commands at all.
func TestInfoLooksAtNoCommands(t *testing.T) {
	h, _ := hooks(slog.LevelInfo, nil)
	if h.Command != nil || h.Reply != nil || h.Dial != nil || h.Attempt != nil || h.Progress != nil {
		t.Error("hooks that log nothing")
	}
	h, b := hooks(slog.LevelInfo, &ftpxslog.Options{DynamicLevel: true})
	if h.Command == nil {
		t.Fatal("no hook for commands with DynamicLevel")
	}
	h.Command(t.Context(), ftpx.CommandInfo{Line: "NOOP"})
	h.Reply(t.Context(), ftpx.ReplyInfo{Code: 200})
	ends(h.Dial, ftpx.DialInfo{}, ftpx.DialEnd{})
	if b.String() != "" {
		t.Errorf("logged at Info: %s", b)
	}
}

// plainHandler writes texts as they come, as many a handler does.
type plainHandler struct{ out *bytes.Buffer }

func (h plainHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h plainHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h plainHandler) WithGroup(string) slog.Handler            { return h }
func (h plainHandler) Handle(_ context.Context, r slog.Record) error {
	h.out.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool { h.out.WriteString(" " + a.String()); return true })
	h.out.WriteString("\n")
	return nil
}

// No server and no file name writes lines, or colours, into a log.
func TestHostileTexts(t *testing.T) {
	const evil = "a\r\nlevel=ERROR msg=forged \x1b[31m\u009b\u202e\x00\xff<img src=x>"
	var out bytes.Buffer
	h := ftpxslog.New(slog.New(plainHandler{&out}), nil)
	info := ftpx.OperationInfo{ID: 1, Op: "upload", Local: evil, Remote: evil, Host: "h"}
	ends(h.Operation, info, ftpx.OperationEnd{Err: lost(evil)})
	ends(h.Attempt, ftpx.AttemptInfo{Remote: evil}, ftpx.AttemptEnd{Err: lost(evil), Addr: evil})
	ends(h.Dial, ftpx.DialInfo{Conn: 1, Addr: evil}, ftpx.DialEnd{Info: ftpx.Info{Server: evil, Peer: evil}})
	h.Retry(t.Context(), ftpx.RetryInfo{Remote: evil, Err: lost(evil)})
	h.Command(t.Context(), ftpx.CommandInfo{Conn: 1, Line: "STOR " + evil})
	h.Reply(t.Context(), ftpx.ReplyInfo{Conn: 1, Code: 550, Text: evil + strings.Repeat("€", 10_000)})
	h.Host(t.Context(), ftpx.HostInfo{Host: "b", Previous: "a", Err: lost(evil)})
	h.Breaker(t.Context(), ftpx.BreakerInfo{Host: "h", Open: true, Err: lost(evil)})
	h.Conn(ftpx.ConnInfo{Conn: 1, Err: lost(evil)})
	if got := strings.Count(out.String(), "\n"); got != 10 {
		t.Errorf("%d lines, want 10:\n%s", got, &out)
	}
	for _, bad := range []string{"\r", "\x1b", "\u009b", "\u202e", "\x00", "\xff"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q came through", bad)
		}
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 12_000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if !strings.Contains(out.String(), "... (cut)") || !strings.Contains(out.String(), `a\r\nlevel=ERROR`) {
		t.Errorf("%.500s", &out)
	}
}

type traceKey struct{}

// contexts notes the trace of the context that records come with.
type contexts struct {
	slog.Handler
	seen *[]any
}

func (c contexts) Handle(ctx context.Context, r slog.Record) error {
	*c.seen = append(*c.seen, ctx.Value(traceKey{}))
	return nil
}

func TestContextIsPassedOn(t *testing.T) {
	var seen []any
	h := ftpxslog.New(slog.New(contexts{slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelDebug}), &seen}), nil)
	ctx := context.WithValue(t.Context(), traceKey{}, "trace 1")
	_, finish := h.Operation(ctx, ftpx.OperationInfo{})
	finish(ftpx.OperationEnd{})
	_, end := h.Attempt(ctx, ftpx.AttemptInfo{})
	end(ftpx.AttemptEnd{})
	h.Retry(ctx, ftpx.RetryInfo{})
	h.Command(ctx, ftpx.CommandInfo{})
	h.Reply(ctx, ftpx.ReplyInfo{})
	if len(seen) != 6 {
		t.Fatalf("%d records, want 6", len(seen))
	}
	for i, v := range seen {
		if v != "trace 1" {
			t.Errorf("record %d has %v", i, v)
		}
	}
}

// A whole job on a bad line: passwords nowhere, and paths nowhere if they are not wanted.
func TestWholeJob(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		for _, omit := range []bool{false, true} {
			srv := ftpxtest.NewServer(t, p)
			h, b := hooks(slog.LevelDebug, &ftpxslog.Options{OmitPaths: omit})
			o := srv.Options()
			o.Hooks = h
			c, err := ftpx.Open(t.Context(), srv.URL(), o)
			if err != nil {
				t.Fatal(err)
			}
			srv.ResetAfter(300 << 10)
			if _, err := c.Put(t.Context(), "private-name.bin", bytes.NewReader(make([]byte, 1<<20)), nil); err != nil {
				t.Error(err)
			}
			if _, err := c.Stat(t.Context(), "missing-name"); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			text := b.String()
			for _, secret := range []string{string(o.Password), "private-name", "missing-name"} {
				if shown := strings.Contains(text, secret); shown && (omit || secret == string(o.Password)) {
					t.Errorf("%v, paths omitted %v: %q is logged", p, omit, secret)
				} else if !shown && !omit && secret != string(o.Password) {
					t.Errorf("%v: %q is not logged", p, secret)
				}
			}
			for _, msg := range []string{"operation done", "operation failed", "retry", "connected", "command", "reply", "connection closed", "resumed"} {
				if !strings.Contains(text, `"msg":"`+msg+`"`) {
					t.Errorf("%v, paths omitted %v: no %q", p, omit, msg)
				}
			}
		}
	}
}
