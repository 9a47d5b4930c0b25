package ftpdriver

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestLearnedByTheNextConnection: what one connection has found the server to
// lack, the next one with the same memory does not ask for, and one without does.
func TestLearnedByTheNextConnection(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"RANG STREAM", "MFMT", "MLST type*;", "HASH SHA-256*;SHA-1", "XMD5"}
		f.files["f"] = []byte("0123456789")
		for _, verb := range []string{"RANG", "MFMT", "MLST", "EPSV", "HASH", "OPTS", "XMD5"} {
			f.on[verb] = always("500 " + verb + " is not known")
		}
	})
	use := func() map[string]int {
		before := map[string]int{}
		verbs := []string{"RANG", "MFMT", "MLST", "EPSV", "OPTS", "HASH", "XMD5"}
		for _, v := range verbs {
			before[v] = f.count(v)
		}
		c := dial(t, ep)
		defer c.Close()
		var got bytes.Buffer
		if _, err := c.Retrieve(t.Context(), "f", 0, &got, &transport.IO{Limit: 3}); err != nil || got.String() != "012" {
			t.Error(got.String(), err)
		}
		if !c.Usable() {
			c = dial(t, ep)
			defer c.Close()
		}
		_, _ = c.Stat(t.Context(), "f")
		if !c.Info().Caps.SetTime {
			t.Log("no way to set times")
		} else if err := c.Chtimes(t.Context(), "f", time.Unix(1700000000, 0)); err == nil {
			t.Error("the time was set by a command that is not known")
		}
		for _, algo := range c.Info().Caps.Hashes {
			if _, err := c.Hash(t.Context(), "f", algo, 0, -1); err == nil {
				t.Error("a hash by a command that is not known")
			}
		}
		for _, v := range verbs {
			before[v] = f.count(v) - before[v]
		}
		return before
	}
	ep.Learned = new(transport.Learned)
	first, second := use(), use()
	t.Logf("first %v, second %v", first, second)
	for _, v := range []string{"RANG", "MFMT", "MLST", "EPSV"} {
		if first[v] != 1 || second[v] != 0 {
			t.Errorf("%s: %d times, then %d", v, first[v], second[v])
		}
	}
	if n := first["OPTS"] + first["HASH"] + first["XMD5"]; n == 0 || second["OPTS"]+second["HASH"]+second["XMD5"] > 0 {
		t.Errorf("hashes: asked for %d times, and then again", n)
	}
	other := *ep
	other.Learned = nil
	ep = &other
	if third := use(); third["EPSV"] == 0 || third["MLST"] == 0 {
		t.Errorf("without a memory: %v", third)
	}
}

// TestEPSVIsAskedForAgain: a server that refuses PASV too may have meant that day
// alone, and the next connection finds out.
func TestEPSVIsAskedForAgain(t *testing.T) {
	t.Parallel()
	refuse := true
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		for _, verb := range []string{"EPSV", "PASV"} {
			f.on[verb] = func(s *session, arg string) string {
				if refuse {
					return "500 not today"
				}
				return defaults[verb](s, arg)
			}
		}
	})
	ep.Learned = new(transport.Learned)
	for _, refuse = range []bool{true, false} {
		c := dial(t, ep)
		if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); refuse == (err == nil) {
			t.Error(err)
		}
	}
	if f.count("EPSV") != 2 || f.count("PASV") != 1 {
		t.Errorf("%q", f.got())
	}
}
