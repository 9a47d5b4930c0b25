package main

func inDownload() []mistake {
	return of("download", "ftpx/internal/download", []string{"ftpx/internal/download", "ftpx", "internal/faultsweep"}, []mistake{{
		name: "time-lost-is-same", file: "download.go",
		old:  "st.Size != s.Size || st.ModTime.IsZero() != s.ModTime.IsZero() || !sameRemote",
		new:  "st.Size != s.Size || !sameRemote",
		what: "A part is continued although the server told its file's time before and does not now.",
	}, {
		name: "unmet-is-whole", file: "segments.go",
		old:  "to = max(p.from, p.at-overlap)",
		new:  "to = p.at",
		what: "Two segments that were never compared where they meet are noted as one, and a later call does not compare them.",
	}, {
		name: "again-is-progress", file: "fetch.go",
		old:  "		d.nothing()\n		d.furthest = furthest\n",
		new:  "		d.nothing()\n		_ = furthest\n",
		what: "A server that does not resume, on a line that breaks, is tried for ever: to get as far again counts as progress.",
	}, {
		name: "short-skip-is-done", file: "stream.go",
		old:  "if err == nil && w.left > 0 {",
		new:  "if err == nil && w.left > 0 && g.size >= 0 {",
		what: "A Get of a file without a size ends well where the second answer ended before what was written already.",
	}, {
		name: "parallel-not-looked-at", file: "widen.go",
		old:  "	x.d.resumed = true // and so its time is looked at when all is there\n",
		new:  "",
		what: "A file that is exchanged while several connections fetch it is not noticed at the end.",
	}, {
		name: "other-file-joins", file: "widen.go",
		old:  "if err != nil || !sameRemote(x.seen, st) {",
		new:  "if err != nil || st.IsDir() {",
		what: "A further connection fetches segments of the file that has the name by now.",
	}, {
		name: "crowd-waits", file: "streams.go",
		old:  "return x.leave || x.main.Host.Crowded()",
		new:  "return x.leave",
		what: "One large download keeps all its connections while other work waits for one.",
	}, {
		name: "two-names-fail", file: "download.go",
		old:  "	if real, err := filepath.EvalSymlinks(dir); err == nil {\n		dir = real\n	}\n",
		new:  "",
		what: "Two downloads of one file by two names for its folder: one fails and does not wait.",
	}})
}
