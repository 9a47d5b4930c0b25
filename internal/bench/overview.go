//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// A factor is how many times as fast as its peer we are in one case.
type factor struct {
	id, peer string
	times    float64
}

// factors takes the goals that compare speeds. A case with several peers counts with the
// one that does best against us.
func factors(all []verdict) []factor {
	var list []factor
	for _, v := range all {
		f := factor{id: v.id}
		if n, _ := fmt.Sscanf(v.figure, "%f times", &f.times); n != 1 || !strings.Contains(v.goal, "as fast as") {
			continue
		}
		_, f.peer, _ = strings.Cut(v.figure, " times ")
		if n := len(list); n > 0 && list[n-1].id == v.id {
			if f.times < list[n-1].times {
				list[n-1] = f
			}
			continue
		}
		list = append(list, f)
	}
	return list
}

// bar draws a factor: four characters for each time, with a mark at once as fast.
func bar(times float64) string {
	const one = 4
	b := []byte(strings.Repeat("=", int(times*one)))
	for len(b) <= one {
		b = append(b, ' ')
	}
	b[one] = '|'
	return strings.TrimRight(string(b), " ")
}

const opening = "\nHow many times as fast as its peer go-ftpx is, for each case whose goal compares speeds. The `|` marks equal speed. A case is named\n" +
	"scenario/protocol/direction: `1000-small` is a thousand files of 4 KiB at 10 ms round trip, `40ms-64MiB` one file of 64 MiB at 40 ms,\n" +
	"and `resets-16MiB` files of 16 MiB while one mebibyte in eight is reset.\n\n"

// overview writes what a reader wants to see first: a picture of the factors, and a table
// of the goals by scenario.
func overview(w io.Writer, all []verdict) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(w, opening)
	for _, f := range factors(all) {
		fmt.Fprintf(w, "    %-31s %5.2f  %-32s %s\n", f.id, f.times, bar(f.times), f.peer)
	}
	type count struct{ goals, met int }
	var names []string
	counts := map[string]count{}
	for _, v := range all {
		name, _, _ := strings.Cut(v.id, "/")
		c, known := counts[name]
		if !known {
			names = append(names, name)
		}
		c.goals++
		if v.met {
			c.met++
		}
		counts[name] = c
	}
	fmt.Fprint(w, "\n| scenario | goals | met |\n| --- | --- | --- |\n")
	for _, name := range names {
		row(w, []string{name, fmt.Sprint(counts[name].goals), fmt.Sprint(counts[name].met)})
	}
}
