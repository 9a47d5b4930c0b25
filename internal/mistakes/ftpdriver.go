package main

func inFTPDriver() []mistake {
	return of("ftp", "transport/ftpdriver", []string{"transport/ftpdriver", "internal/conformance", "ftpx"}, []mistake{{
		name: "offset-left", file: "control.go",
		old:  "c.restLeft = c.restLeft || c.rested && r.code >= 400",
		new:  "c.restLeft = c.restLeft || c.rested && r.code >= 500",
		what: "After REST and a transfer that is refused with a 4xx, the next file begins at that offset on servers that keep it.",
	}, {
		name: "superfluous-is-done", file: "files.go",
		old:  "case !replies[1].positive() || replies[1].code == 202:",
		new:  "case !replies[1].positive():",
		what: "\"202 superfluous\" to RNTO is taken for a rename.",
	}, {
		name: "empty-is-whole", file: "list.go",
		old:  "case err == nil && c.traits.listsItself:",
		new:  "case err == nil && c.traits.listsItself && l.entries > 0:",
		what: "A listing of vsftpd whose connection ended before it began is asked again without -a, and hides what is hidden.",
	}, {
		name: "stays-in-text", file: "text.go",
		old:  "terr != nil || !r.positive() {\n		c.ctl.broken.Store(true)",
		new:  "terr != nil || r.code == 421 {\n		c.ctl.broken.Store(true)",
		what: "A session that could not go back to TYPE I carries the next file, which is changed on its way.",
	}, {
		name: "cr-forgotten", file: "text.go",
		old:  "		t.out = t.out[:0:0]\n",
		new:  "		t.out, t.after = t.out[:0:0], false\n",
		what: "A CRLF that two reads of the source part gets a second CR.",
	}, {
		name: "range-stays", file: "hash.go",
		old:  "	if h.ranged {\n		// \"RANG 1 0\"",
		new:  "	if h.ranged && !r.positive() {\n		// \"RANG 1 0\"",
		what: "After the digest of a range the next RETR brings that range only.",
	}, {
		name: "other-range-believed", file: "hash.go",
		old:  "if start != h.start || end != h.end && end != h.end-1 {",
		new:  "if _ = start; end != h.end && end != h.end-1 {",
		what: "The digest of another range that ends in the same place is taken for the one that was asked for.",
	}, {
		name: "full-is-no-restart", file: "failure.go",
		old:  "case answered && offset > 0 && d.sent == 0 && restartRefused(last):",
		new:  "case answered && offset > 0 && restartRefused(last):",
		what: "A resumed upload that the server breaks off in the middle begins at 0, and the host is noted as one that does not resume.",
	}, {
		name: "port-for-ever", file: "datadial.go",
		old:  "return p.prefetchedPort > 0 && time.Since(p.prefetchedAt) < prefetchedFor",
		new:  "return p.prefetchedPort > 0",
		what: "A port that was asked for minutes ago is dialled, which firewalls have closed by then.",
	}, {
		name: "half-sent-is-unsent", file: "control.go",
		old:  "if n, err := c.conn.Write(b.Bytes()); err != nil {\n		c.broken.Store(true)\n		if n > 0 {\n			c.queue(lines)\n		}\n",
		new:  "if _, err := c.conn.Write(b.Bytes()); err != nil {\n		c.broken.Store(true)\n",
		what: "A command of which a part had left when the connection died counts as never sent.",
	}, {
		name: "two-beginnings", file: "control.go",
		old:  "			c.broken.Store(true)\n		}\n		c.begun, c.rested = true, false",
		new:  "		}\n		c.begun, c.rested = true, false",
		what: "A server that announces a transfer twice keeps its session, and every later reply may be that of another command.",
	}})
}
