package main

func inUpload() []mistake {
	return of("upload", "ftpx/internal/upload", []string{"ftpx/internal/upload", "ftpx", "internal/faultsweep"}, []mistake{{
		name: "acked-beyond-the-end", file: "prove.go",
		old:  "p.acked > 0 && p.acked <= size && p.acked >= p.confirmed",
		new:  "p.acked > 0 && p.acked >= p.confirmed",
		what: "What a server has acknowledged counts although the file is shorter by now.",
	}, {
		name: "settles-at-the-first-size", file: "resume.go",
		old:  "		size = st.Size\n		if time.Now().After(deadline) {\n			return 0, otherWriter",
		new:  "		if time.Now().After(deadline) {\n			return 0, otherWriter",
		what: "A partial that grows for a moment, as after a reset, is taken for another writer's.",
	}, {
		name: "prefix-is-done", file: "reconcile.go",
		old:  "for err == nil && st.Size == u.part.confirmed && u.commit.looks < maxLooks {",
		new:  "for err == nil && u.commit.looks < maxLooks {",
		what: "After a lost reply to the rename, a shorter file at the destination that begins like the source is called done.",
	}, {
		name: "replaces-after-all", file: "put.go",
		old:  "Replace: !u.spec.NoReplace}",
		new:  "Replace: true}",
		what: "With NoReplace a file that appears after the look is replaced.",
	}, {
		name: "backup-noted-late", file: "commit.go",
		old:  "	c.backedUp = true\n	if err := c.rename(ctx, c.to, c.backup); err != nil {\n		if moved, serr := c.movedAway(ctx, err); !moved {\n			return serr\n		}\n	}\n",
		new:  "	if err := c.rename(ctx, c.to, c.backup); err != nil {\n		if moved, serr := c.movedAway(ctx, err); !moved {\n			return serr\n		}\n	}\n	c.backedUp = true\n",
		what: "Where the reply to moving the old file aside is lost, nobody puts it back or says where it is.",
	}, {
		name: "ageless-is-stale", file: "place.go",
		old:  "!e.ModTime.IsZero() && time.Since",
		new:  "time.Since",
		what: "RemoveStale removes partials whose age the server does not tell, those under way among them.",
	}, {
		name: "resumes-what-differs", file: "partial.go",
		old:  "u.part.known, u.part.restart, u.part.orphan = true, true, orphan\n\tu.most",
		new:  "u.part.known, u.part.orphan = true, orphan\n\tu.most",
		what: "A partial that was found to differ is resumed, not begun again.",
	}, {
		name: "offsets-believed", file: "put.go",
		old:  "if p.at > 0 && (p.store.Stored > 0 || p.store.Err == nil) {",
		new:  "if p.store.Stored > 0 || p.store.Err == nil {",
		what: "A host counts as one that writes at offsets when it has taken any file, and what a lost session stores later is not looked for.",
	}, {
		name: "changes-for-ever", file: "upload.go",
		old:  "if !changed || !u.spec.RestartOnChange || u.restarts >= transfer.MaxRestarts {",
		new:  "if !changed || !u.spec.RestartOnChange {",
		what: "A source that changes all the time is sent again for ever.",
	}, {
		name: "appends-behind-holes", file: "appendproof.go",
		old:  "sure = min(a.acked, n) // what lies beyond may have holes",
		new:  "sure = max(a.acked, n)",
		what: "An append over SFTP goes on behind bytes that were never acknowledged.",
	}, {
		name: "tail-not-in-identity", file: "name.go",
		old:  "	if size > identitySample {",
		new:  "	if size > 2*identitySample {",
		what: "Two sources of up to 128 KiB that differ in their second half share a partial.",
	}})
}
