package ftpdriver

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestAfterLogin: the caller's commands are sent after the login, one by one; one that is
// refused, or that would lead the connection astray, is an error of the dial.
func TestAfterLogin(t *testing.T) {
	start := func(lines ...string) (*transport.Endpoint, *fake) {
		ep, f := startFake(t, transport.FTP, func(f *fake) {
			f.on["SITE"] = func(_ *session, arg string) string {
				if strings.HasPrefix(arg, "FILETYPE") {
					return "200 SITE command was accepted"
				}
				return "500 what?"
			}
		})
		ep.AfterLogin = lines
		return ep, f
	}
	ep, f := start("SITE FILETYPE=SEQ", "NOOP")
	c := dial(t, ep)
	got := f.got()
	if i := slices.Index(got, "SITE FILETYPE=SEQ"); i < 0 || i+1 >= len(got) || got[i+1] != "NOOP" || !c.Usable() {
		t.Errorf("%q", got)
	}
	ep, _ = start("SITE NOPE")
	if _, err := Dial(t.Context(), ep); transport.KindOf(err) != transport.KindInvalid || !strings.Contains(err.Error(), "SITE NOPE") {
		t.Error(err)
	}
	for _, line := range []string{"TYPE A", "RETR f", "SITE x\r\nDELE y", ""} {
		ep, f = start("NOOP", line)
		if _, err := Dial(t.Context(), ep); transport.KindOf(err) != transport.KindInvalid || !strings.Contains(err.Error(), "AfterLogin[1]") {
			t.Errorf("%q: %v", line, err)
		}
		if got := f.got(); len(got) > 0 {
			t.Errorf("%q: it was dialled: %q", line, got)
		}
	}
}
