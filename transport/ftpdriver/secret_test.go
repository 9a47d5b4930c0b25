package ftpdriver

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestPasswordInAReply: a server that says the password, in whatever place, does not
// bring it into an error or into the trace.
func TestPasswordInAReply(t *testing.T) {
	const password = "pa55word"
	remove := func(ctx context.Context, c transport.Calls) error { return c.Remove(ctx, "f") }
	store := func(ctx context.Context, c transport.Calls) error {
		_, err := c.Store(ctx, "f", 0, strings.NewReader("content"), nil)
		return err
	}
	for name, tt := range map[string]struct {
		verb, answer string
		call         func(ctx context.Context, c transport.Calls) error // nil for Dial
		says         string
	}{
		"refused":         {"DELE", "550 no, pa55word", remove, `550 "no, [secret]"`},
		"refused twofold": {"DELE", "550-no,\r\n pa55word\r\n550 and pa55word", remove, "[secret]"},
		"login":           {"PASS", "530 pa55word is wrong", nil, `530 "[secret] is wrong"`},
		"unasked":         {"EPSV", "500 no\r\n250 you said pa55word", store, "nobody had asked for: 250 you said [secret]"},
		"no reply":        {"DELE", "PASS pa55word?", remove, "PASS [secret]?"},
		"no reply, long":  {"DELE", strings.Repeat("x", 75) + " pa55word", remove, "no FTP reply"},
		"first of two":    {"STOR", "553 not pa55word", store, `553 "not [secret]"`},
		"one too many":    {"RNTO", "150 pa55word\r\n150 pa55word", func(ctx context.Context, c transport.Calls) error { return c.Rename(ctx, "f", "g", true) }, `150 "[secret]"`},
		"nonsense":        {"EPSV", "229 pa55word", store, "[secret]"},
		"part": {"RETR", "550 not pa55word", func(ctx context.Context, c transport.Calls) error {
			_, err := c.Retrieve(ctx, "f", 3, io.Discard, nil)
			return err
		}, `550 "not [secret]"`},
		"size": {"SIZE", "213 pa55word", func(ctx context.Context, c transport.Calls) error { _, err := c.Stat(ctx, "f"); return err }, "[secret]"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &log{}
			ep, _ := startFake(t, transport.FTP, func(f *fake) { f.on["PASV"] = always("502 no"); f.on[tt.verb] = always(tt.answer) })
			ep.Password, ep.Trace = password, l.trace()
			c, err := Dial(t.Context(), ep)
			if c != nil {
				defer c.Close()
			}
			if tt.call != nil && err == nil {
				err = tt.call(t.Context(), transport.Calls{Conn: c})
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
			for what, text := range map[string]string{"error": fmt.Sprintf("%v %+v %#v", err, err, err), "trace": l.String()} {
				if strings.Contains(text, password[:4]) { // nor half of it
					t.Errorf("the password is in the %s: %s", what, text)
				}
			}
		})
	}
}

// TestPasswordLikeData: a password that looks like what a server tells is hidden where
// replies are shown, and changes nothing of what they mean.
func TestPasswordLikeData(t *testing.T) {
	l := &log{}
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"XSHA256"}
		f.on["XSHA256"] = always("250 " + strings.Repeat("a1b2c3d4", 8))
		f.files["f"] = make([]byte, 61236)
		f.on["PWD"] = always(`257 "/123" is where you are`)
		f.on["MDTM"] = always("213 20240123112300")
	})
	ep.Password, ep.Trace = "123", l.trace()
	c := dial(t, ep)
	e, err := c.Stat(t.Context(), "f")
	if err != nil || e.Size != 61236 || e.ModTime.Format(timeVal) != "20240123112300" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := c.Hash(t.Context(), "f", "sha256", 0, -1); err != nil || !slices.Contains(f.got(), "XSHA256 /123/f") {
		t.Errorf("%v, %q", err, f.got())
	}
	for line := range strings.SplitSeq(l.String(), "\n") {
		if strings.HasPrefix(line, "<") && strings.Contains(line, "123") {
			t.Errorf("in the trace: %q", line)
		}
	}
}
