package main

func inSFTPDriver() []mistake {
	return of("sftp", "transport/sftpdriver", []string{"transport/sftpdriver", "internal/conformance", "ftpx"}, []mistake{{
		name: "more-than-asked", file: "download.go",
		old:  "	if len(data) > p.length {\n		return 0, fmt.Errorf(\"%w: %d bytes came where %d had been asked for\", errMalformed, len(data), p.length)\n	}\n",
		new:  "",
		what: "An answer that is longer than what was asked for is written, and what follows it lies in the wrong place.",
	}, {
		name: "cut-to-what-was-sent", file: "upload.go",
		old:  "size = binary.BigEndian.AppendUint64(size, uint64(u.acked))",
		new:  "size = binary.BigEndian.AppendUint64(size, uint64(u.next))",
		what: "An upload that fails leaves a file with holes, cut to what had left and not to what was acknowledged.",
	}, {
		name: "close-refused-is-stored", file: "upload.go",
		old:  "	if err != nil && u.s.alive(err) {\n		u.acked = u.q.Offset\n	}\n",
		new:  "",
		what: "What a file system could not keep, as it says to CLOSE alone, counts as stored.",
	}, {
		name: "cut-not-looked-at", file: "keep.go",
		old:  "return serr == nil && a.hasSize && a.size == uint64(n), nil",
		new:  "return serr == nil && a.hasSize, nil",
		what: "A server that ignores the cut keeps the end of the old file behind the new one.",
	}, {
		name: "last-is-unsent", file: "do.go",
		old:  "case i >= r.sent || !s.acts || s.bad != nil:",
		new:  "case i >= r.sent-1 || !s.acts || s.bad != nil:",
		what: "The last request that left before a session ended is called unsent, although it may have acted.",
	}, {
		name: "takes-back-too-much", file: "guess.go",
		old:  "if err == nil && a.hasSize && a.size == 0 {\n		t.at",
		new:  "if err == nil && a.hasSize {\n		t.at",
		what: "A file that was made on a guess is removed, although another client has written to it since.",
	}, {
		name: "same-size-same-file", file: "download.go",
		old:  "if err == nil && a == d.main && a.hasSize {",
		new:  "if err == nil && a.size == d.main.size && a.hasSize {",
		what: "A further channel reads another file of the same size that has the name by now, and both are mixed.",
	}, {
		name: "append-empties", file: "packets.go",
		old:  "case q.Offset == 0 && (q.Append || s.kept):",
		new:  "case q.Offset == 0 && s.kept:",
		what: "An append to a file that was empty when it was looked at empties what has come since.",
	}, {
		name: "empty-answers", file: "list.go",
		old:  "if empty++; n > 0 {",
		new:  "if empty++; n >= 0 {",
		what: "A server that answers READDIR without a name, again and again, is listened to for ever.",
	}})
}
