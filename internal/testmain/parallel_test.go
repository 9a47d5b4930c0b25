package testmain

import (
	"flag"
	"testing"
)

type runFunc func() int

func (f runFunc) Run() int { return f() }

func TestParallel(t *testing.T) {
	f := flag.Lookup(parallelFlag)
	want := "7"
	flag.Visit(func(f *flag.Flag) {
		if f.Name == parallelFlag {
			want = f.Value.String() // given to this test
		}
	})
	for _, n := range []int{7, 8} { // the second finds it set
		if code := Parallel(runFunc(func() int { return 3 }), n).Run(); code != 3 {
			t.Errorf("exit code %d", code)
		}
		if got := f.Value.String(); got != want {
			t.Errorf("%s tests at a time, want %s", got, want)
		}
	}
}
