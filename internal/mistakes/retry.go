package main

func inRetry() []mistake {
	return of("retry", "retry", []string{"retry", "ftpx"}, []mistake{{
		name: "waits-beyond-the-end", file: "loop.go",
		old:  "if left <= 0 || asked > left {",
		new:  "if left <= 0 {",
		what: "A server that asks for a long pause is waited for beyond MaxElapsed.",
	}, {
		name: "busy-not-reset", file: "loop.go",
		old:  "		l.busy.Reset()\n",
		new:  "",
		what: "A transfer that gets further between two answers of a full server waits longer each time.",
	}, {
		name: "host-key-is-passing", file: "classify.go",
		old:  "case transport.KindAuth, transport.KindHostKey, transport.KindCertificate:\n			return Permanent",
		new:  "case transport.KindAuth, transport.KindCertificate:\n			return Permanent",
		what: "A wrong host key is tried again and again, where another protocol could not be reached either.",
	}, {
		name: "believed-once-only", file: "loop.go",
		old:  "l.idle, l.trusted = 0, false",
		new:  "l.idle = 0",
		what: "Bytes that left after progress are not believed, since some were believed before it: the next attempt waits.",
	}, {
		name: "hostile-pause", file: "classify.go",
		old:  "return min(max(d, 0), MaxRetryAfter)",
		new:  "return max(d, 0)",
		what: "A server decides how long a client waits, a year for example.",
	}})
}
