package health

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestCut: whoever cuts lines by a rule leaves a pattern, and chance leaves none.
func TestCut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	random := func(most time.Duration) time.Duration { return time.Duration(rnd.Int64N(int64(most))) + time.Second }
	usual := func() End { // a connection of a busy day
		return End{Age: random(time.Hour), Bytes: rnd.Int64N(1 << 30), Hour: rnd.IntN(24), Direction: []string{"up", "down"}[rnd.IntN(2)],
			Family: []string{"ipv4", "ipv6"}[rnd.IntN(2)], TLS: rnd.IntN(2) == 0, Resent: -1, Survived: random(time.Minute)}
	}
	for name, c := range map[string]struct {
		lose func(e *End)
		want string
		line string
	}{
		"chance":                     {lose: func(e *End) { e.Lost = true }, want: ""},
		"idle":                       {lose: func(e *End) { e.Died, e.Idle = true, 90*time.Second+random(20*time.Second) }, want: "idle"},
		"idle, which others survive": {lose: func(e *End) { e.Died, e.Idle = true, 10*time.Second }, want: ""},
		"age":                        {lose: func(e *End) { e.Lost, e.Age = true, 300*time.Second+random(5*time.Second) }, want: "age"},
		"bytes":                      {lose: func(e *End) { e.Lost, e.Bytes = true, 100<<20+rnd.Int64N(1<<20) }, want: "bytes"},
		"direction":                  {lose: func(e *End) { e.Lost, e.Direction = true, "down" }, want: "direction=down"},
		"family":                     {lose: func(e *End) { e.Lost, e.Family = true, "ipv6" }, want: "family=ipv6"},
		"clear":                      {lose: func(e *End) { e.Lost, e.TLS = true, false }, want: "tls=clear"},
		"hour":                       {lose: func(e *End) { e.Lost, e.Hour = true, 3 }, want: "hour=03"},
		"bad line":                   {lose: func(e *End) { e.Lost, e.Resent = true, 1 }, line: "bad line"},
		"deliberate":                 {lose: func(e *End) { e.Lost, e.Resent = true, 0 }, line: "deliberate"},
		"now and then":               {lose: func(e *End) { e.Lost, e.Resent = true, rnd.IntN(10)/7 }},
	} {
		t.Run(name, func(t *testing.T) {
			var cut cut
			for range 400 {
				cut.note(usual())
			}
			for range 40 {
				e := usual()
				c.lose(&e)
				cut.note(e)
			}
			found := cut.find()
			var got []string
			for _, p := range found.Common {
				s := p.By
				if p.Value != "" {
					s += "=" + p.Value
				}
				if p.Losses < 32 || p.Low > p.High {
					t.Errorf("%+v", p)
				}
				got = append(got, s)
			}
			if strings.Join(got, " ") != c.want || found.Line != c.line || found.Losses != 40 {
				t.Errorf("%q, line %q of %d losses, want %q, line %q: %+v", got, found.Line, found.Losses, c.want, c.line, found)
			}
		})
	}
}

// TestCutNeedsLosses: a few losses have no pattern, and a client that only uploads loses
// uploads.
func TestCutNeedsLosses(t *testing.T) {
	var few cut
	for range 4 {
		few.note(End{Lost: true, Age: time.Minute, Direction: "up"})
	}
	if c := few.find(); c.Losses != 4 || len(c.Common) > 0 {
		t.Errorf("%+v", c)
	}
	var ups cut
	for i := range 100 {
		ups.note(End{Lost: i%10 == 0, Age: time.Duration(i*i) * time.Second, Bytes: int64(i * i * 100_000), Direction: "up", Family: "ipv4", TLS: true, Hour: 7})
	}
	if c := ups.find(); c.Losses != 10 || len(c.Common) > 0 {
		t.Errorf("%+v", c)
	}
	for i := range 1000 { // the last ones count
		ups.note(End{Lost: true, Hour: 7, Direction: "up", Family: "ipv4", TLS: true, Age: 2*time.Minute + time.Duration(i)*time.Millisecond})
	}
	if c := ups.find(); c.Losses != 64 || fmt.Sprint(c.Common[0].By, c.Common[0].Losses) != "age64" {
		t.Errorf("%+v", c)
	}
}
