package testmain

import (
	"flag"
	"fmt"
	"os"
	"strconv"
)

// Parallel returns m with n tests at a time of those that call testing.T.Parallel, for
// packages whose tests wait more than they compute. The flag -parallel comes before it.
func Parallel(m Runner, n int) Runner { return parallel{m, n} }

type parallel struct {
	Runner
	n int
}

func (p parallel) Run() int {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == parallelFlag })
	if !set {
		if err := flag.Set(parallelFlag, strconv.Itoa(p.n)); err != nil {
			fmt.Fprintln(os.Stderr, "testmain:", err)
			return 1
		}
	}
	return p.Runner.Run()
}

const parallelFlag = "test.parallel"
