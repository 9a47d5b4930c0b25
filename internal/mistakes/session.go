package main

func inSession() []mistake {
	return of("session", "ftpx/internal/session", []string{"ftpx/internal/session", "ftpx", "internal/faultsweep"}, []mistake{{
		name: "turn-lost", file: "limiter.go",
		old:  "		l.held--\n		l.grant()\n	}\n	t.over",
		new:  "		l.grant()\n	}\n	t.over",
		what: "A turn that is granted in the moment in which its waiter gives up is lost for good.",
	}, {
		name: "stays-exclusive", file: "pool.go",
		old:  "pc.owned, pc.exclusive = false, false",
		new:  "pc.owned = false",
		what: "A connection that has carried a large file is never shared again.",
	}, {
		name: "one-share-more", file: "share.go",
		old:  "pc.sharers+1 < pc.most",
		new:  "pc.sharers < pc.most",
		what: "With the one that has the slot there is one batch more on a connection than the driver takes.",
	}, {
		name: "share-kept", file: "lease.go",
		old:  "	p.unshare(l.conn) // the slot's use counts now\n",
		new:  "",
		what: "A share that became the caller's own connection is never given back.",
	}, {
		name: "failures-add-up", file: "breaker.go",
		old:  "b.failures, b.open, b.span, b.last = 0, false, 0, nil",
		new:  "b.open, b.span, b.last = false, 0, nil",
		what: "Five failures spare a host, although work was done between them.",
	}, {
		name: "progress-fails", file: "attempt.go",
		old:  "case err == nil || j.attempt.Progressed() || connected && !unwell(err):",
		new:  "case err == nil || connected && !unwell(err):",
		what: "Transfers that get further each time, on a line that breaks, have their host spared.",
	}, {
		name: "moved-begins-again", file: "attempt.go",
		old:  "first := !fresh && !l.moved",
		new:  "first := !fresh",
		what: "An operation whose payload had moved begins again within its attempt: no pause, no event, no count.",
	}, {
		name: "asked-to-wait", file: "answers.go",
		old:  "return te.Code != 0 && te.RetryAfter == 0",
		new:  "return te.Code != 0",
		what: "A server that names a time at which to come again is taken at its first word, and work fails.",
	}, {
		name: "acted-forgotten", file: "session.go",
		old:  "d.acted = d.acted || te.MayHaveActed",
		new:  "d.acted = te.MayHaveActed",
		what: "That a lost request may have acted is forgotten with the next failure.",
	}, {
		name: "flapping-host", file: "failback.go",
		old:  "since[i], barred[i] = time.Time{}, !elsewhere(err)",
		new:  "barred[i] = !elsewhere(err)",
		what: "Work returns to a host that was down a moment ago, since it once was well half a minute before.",
	}, {
		name: "host-left-out", file: "hosts.go",
		old:  "} else if i <= at {",
		new:  "} else if i < at {",
		what: "While work goes to a standby, a better host is not tried when that fails, and the standby twice.",
	}})
}
