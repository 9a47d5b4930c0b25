//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// A verdict is one line of the summary.
type verdict struct {
	id, goal, figure string
	met              bool
}

// A record is what the summary needs of one case.
type record struct {
	id     string
	median time.Duration // ours
}

// lftpSmall is how many times as fast as lftp small files go over FTP, by direction.
var lftpSmall = map[ftpx.Protocol]map[bool]float64{
	ftpx.FTP:  {up: 1.6, down: 1.6},
	ftpx.FTPS: {up: 1.3, down: 1.7},
}

const up, down = true, false

// judge holds the series of a case against the goals.
func judge(j *job, list []*series) (all []verdict) {
	ours := list[0]
	if len(ours.samples) == 0 {
		return []verdict{{j.id(j.proto(), j.up), "it works", fmt.Sprintf("failed: %v", ours.err), false}}
	}
	against := func(goal float64, strict bool, names ...string) {
		var worst *series
		for _, s := range list {
			if s.peer.rank == rival && len(s.samples) > 0 && (len(names) == 0 || slices.Contains(names, s.peer.name)) &&
				(worst == nil || ratio(ours, s) < ratio(ours, worst)) {
				worst = s
			}
		}
		if worst == nil {
			return
		}
		r := ratio(ours, worst)
		word := "at least"
		if strict {
			word = "more than"
		}
		whom := "every peer"
		if len(names) > 0 {
			whom = worst.peer.name
		}
		all = append(all, verdict{j.id(j.proto(), j.up), fmt.Sprintf("%s %g times as fast as %s", word, goal, whom),
			fmt.Sprintf("%.2f times %s", r, worst.peer.name), r > goal || !strict && r >= goal})
	}
	sftp := j.proto() == ftpx.SFTP
	switch {
	case j.what == listing:
	case j.resets:
		against(2.8, false, "jlaffaye/ftp", "pkg/sftp")
	case j.line.Window > 0:
		against(3, false, "jlaffaye/ftp", "pkg/sftp")
	case j.what == manyFiles && sftp:
		against(5, false)
		against(6, false, "lftp")
	case j.what == manyFiles:
		against(1.5, false)
		against(lftpSmall[j.proto()][j.up], false, "lftp")
	case j.line.RTT == 0 && sftp:
		against(1.5, false, "OpenSSH sftp")
		against(1, true, "pkg/sftp")
	case j.line.RTT == 0:
		against(0.97, false, "jlaffaye/ftp")
	case sftp && j.line.Rate == 0 && j.size >= 256*mib:
		against(3, false)
	case sftp && j.line.Rate == 0:
		against(2, false)
	default:
		against(1, true)
	}
	if j.line.Rate > 0 && !j.resets && j.size >= 256*mib {
		share := 0.0
		if c := ours.connected(); c > 0 {
			share = float64(j.size) / c.Seconds() / float64(j.line.Rate)
		}
		all = append(all, verdict{j.id(j.proto(), j.up), "90 % of the cap once connected", fmt.Sprintf("%.0f %%", 100*share), share >= 0.9})
	}
	return all
}

// proportion compares ten times as many files with once as many.
func proportion(records []record) (all []verdict) {
	times := map[string]time.Duration{}
	for _, r := range records {
		times[r.id] = r.median
	}
	for _, r := range records {
		var rest string
		if n, _ := fmt.Sscanf(r.id, "10000-small/%s", &rest); n != 1 || times["1000-small/"+rest] == 0 {
			continue
		}
		x := float64(r.median) / float64(times["1000-small/"+rest])
		all = append(all, verdict{r.id, "at most 11 times the time of 1,000", fmt.Sprintf("%.1f times", x), x <= 11})
	}
	return all
}

// summary writes the goals and what became of them.
func summary(w io.Writer, all []verdict) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Goals\n\n| case | goal | measured | |\n| --- | --- | --- | --- |\n")
	for _, v := range all {
		met := "met"
		if !v.met {
			met = "**not met**"
		}
		row(w, []string{v.id, v.goal, v.figure, met})
	}
}
