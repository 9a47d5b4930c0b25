package conformance

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func caseMkdir(e *env) {
	e.ok(e.c.Mkdir(e.ctx, e.at("new")), "Mkdir")
	e.isDir(e.at("new"))
	e.ok(e.c.Mkdir(e.ctx, e.at("new/below")), "Mkdir below")
	e.isDir(e.at("new/below"))
	e.put(e.at("new/f"), random(9))

	err := e.c.Mkdir(e.ctx, e.at("new"))
	te := e.fails("Mkdir of a folder that is there", err, transport.KindExist, transport.KindRefused, transport.KindTemporary)
	if errors.Is(err, fs.ErrExist) != (te.Kind == transport.KindExist) {
		e.Errorf("errors.Is(err, fs.ErrExist) does not follow the kind of %v", err)
	}
	e.inStep("Mkdir of a folder that is there")
	e.holds(e.at("new/f"), random(9))

	e.fails("Mkdir where a file is", e.c.Mkdir(e.ctx, e.at("new/f")), refused...)
	e.holds(e.at("new/f"), random(9))
	e.fails("Mkdir below a missing folder", e.c.Mkdir(e.ctx, e.at("missing/new")), refused...)
	e.gone(e.at("missing"))
	e.inStep("Mkdir that failed")
}

func caseRmdir(e *env) {
	e.ok(e.c.Mkdir(e.ctx, e.at("full")), "Mkdir")
	e.put(e.at("full/f"), random(3))
	e.fails("Rmdir of a folder that is not empty", e.c.Rmdir(e.ctx, e.at("full")), refused...)
	e.holds(e.at("full/f"), random(3))
	e.fails("Rmdir of a file", e.c.Rmdir(e.ctx, e.at("full/f")), refused...)
	e.holds(e.at("full/f"), random(3))
	e.inStep("Rmdir that failed")
	e.ok(e.c.Remove(e.ctx, e.at("full/f")), "Remove")
	e.ok(e.c.Rmdir(e.ctx, e.at("full")), "Rmdir of an empty folder")
	e.gone(e.at("full"))
	e.fails("Rmdir of a missing folder", e.c.Rmdir(e.ctx, e.at("full")), transport.KindNotExist)
	e.inStep("Rmdir")
}

func caseRemove(e *env) {
	e.put(e.at("f"), random(3))
	e.ok(e.c.Remove(e.ctx, e.at("f")), "Remove")
	e.gone(e.at("f"))
	for _, p := range []string{e.at("f"), e.at("missing/f")} {
		err := e.c.Remove(e.ctx, p)
		e.fails("Remove of a missing file", err, transport.KindNotExist)
		if !errors.Is(err, fs.ErrNotExist) {
			e.Errorf("errors.Is(err, fs.ErrNotExist) is false for %v", err)
		}
		e.inStep("Remove of a missing file")
	}
	e.ok(e.c.Mkdir(e.ctx, e.at("empty folder")), "Mkdir")
	e.fails("Remove of a folder", e.c.Remove(e.ctx, e.at("empty folder")), refused...)
	e.isDir(e.at("empty folder"))
	e.inStep("Remove of a folder")
}

func caseRename(e *env) {
	e.put(e.at("a"), random(1000))
	e.ok(e.c.Rename(e.ctx, e.at("a"), e.at("b"), false), "Rename of a file")
	e.gone(e.at("a"))
	e.holds(e.at("b"), random(1000))

	e.ok(e.c.Rename(e.ctx, e.at("b"), e.at("c"), true), "Rename with replace where nothing is")
	e.gone(e.at("b"))
	e.holds(e.at("c"), random(1000))

	e.ok(e.c.Mkdir(e.ctx, e.at("one")), "Mkdir")
	e.ok(e.c.Mkdir(e.ctx, e.at("two")), "Mkdir")
	e.ok(e.c.Rename(e.ctx, e.at("c"), e.at("one/d"), false), "Rename into a folder")
	e.ok(e.c.Rename(e.ctx, e.at("one/d"), e.at("two/e"), true), "Rename across folders")
	e.gone(e.at("one/d"))
	e.holds(e.at("two/e"), random(1000))

	e.ok(e.c.Rename(e.ctx, e.at("two"), e.at("one/three"), false), "Rename of a folder")
	e.gone(e.at("two"))
	e.isDir(e.at("one/three"))
	e.holds(e.at("one/three/e"), random(1000))

	// Onto itself: whatever is said, nothing is lost.
	if err := e.c.Rename(e.ctx, e.at("one/three/e"), e.at("one/three/e"), true); err != nil {
		e.fails("Rename onto itself", err, refused...)
	}
	e.holds(e.at("one/three/e"), random(1000))
	e.inStep("Rename")
}

// What is in the way is replaced where Caps say so, and never lost for nothing.
func caseRenameReplaces(e *env) {
	for _, replace := range []bool{true, false} {
		e.put(e.at("new"), random(100))
		e.put(e.at("old"), random(2000))
		can := e.c.Info().Caps.ReplaceOnRename
		err := e.c.Rename(e.ctx, e.at("new"), e.at("old"), replace)
		switch {
		case err == nil:
			e.gone(e.at("new"))
			e.holds(e.at("old"), random(100))
		case replace && can:
			e.Errorf("Caps.ReplaceOnRename is set, but Rename with replace fails: %v", err)
		}
		if err != nil {
			e.fails("Rename onto a file", err, refused...)
			e.holds(e.at("new"), random(100))
			e.holds(e.at("old"), random(2000))
		}
		e.inStep("Rename onto a file")
	}
	e.ok(e.c.Mkdir(e.ctx, e.at("folder")), "Mkdir")
	e.put(e.at("folder/f"), random(5))
	e.put(e.at("new"), random(100))
	e.fails("Rename of a file onto a folder", e.c.Rename(e.ctx, e.at("new"), e.at("folder"), true), refused...)
	e.holds(e.at("new"), random(100))
	e.holds(e.at("folder/f"), random(5))
	e.inStep("Rename onto a folder")
}

func caseRenameMissing(e *env) {
	err := e.c.Rename(e.ctx, e.at("missing"), e.at("to"), true)
	e.fails("Rename of a missing file", err, transport.KindNotExist)
	e.gone(e.at("to"))
	e.inStep("Rename of a missing file")
	e.put(e.at("f"), random(77))
	for _, replace := range []bool{true, false} {
		err = e.c.Rename(e.ctx, e.at("f"), e.at("missing/f"), replace)
		e.fails("Rename into a missing folder", err, refused...)
		e.holds(e.at("f"), random(77))
		e.gone(e.at("missing"))
		e.inStep("Rename into a missing folder")
	}
	err = e.c.Rename(e.ctx, e.at("missing"), e.at("f"), true)
	e.fails("Rename of a missing file onto one that is there", err, transport.KindNotExist)
	e.holds(e.at("f"), random(77))
}

func caseChtimes(e *env) {
	e.put(e.at("f"), random(5))
	if !e.c.Info().Caps.SetTime {
		before := e.diskTime(e.at("f"))
		e.fails("Chtimes without Caps.SetTime", e.c.Chtimes(e.ctx, e.at("f"), time.Unix(1e9, 0)), transport.KindUnsupported)
		if after := e.diskTime(e.at("f")); !after.Equal(before) {
			e.Errorf("Chtimes has changed the time from %v to %v all the same", before, after)
		}
		e.inStep("Chtimes")
		return
	}
	east := time.FixedZone("east", 9*3600+1800)
	for _, want := range []time.Time{
		time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC),
		time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		time.Date(2025, 7, 15, 12, 0, 0, 0, east), // summer time somewhere
		time.Date(2025, 3, 30, 1, 30, 0, 0, time.UTC),
		time.Unix(1, 0),
		time.Date(2036, 1, 1, 0, 0, 0, 999_999_999, east),
	} {
		e.ok(e.c.Chtimes(e.ctx, e.at("f"), want), "Chtimes to %v", want)
		if e.opts.Root != "" {
			if got := e.diskTime(e.at("f")); got.Unix() != want.Unix() {
				e.Errorf("Chtimes to %v: on the server's disk it is %v", want, got.UTC())
			}
		}
		st, err := e.c.Stat(e.ctx, e.at("f"))
		e.ok(err, "Stat")
		if st.TimeExact && st.ModTime.Unix() != want.Unix() {
			e.Errorf("Chtimes to %v: Stat says %v", want, st.ModTime)
		}
		if e.c.Info().Caps.ExactTimes != st.TimeExact {
			e.Errorf("Caps.ExactTimes is %v, TimeExact of an Entry is %v", e.c.Info().Caps.ExactTimes, st.TimeExact)
		}
	}
	e.holds(e.at("f"), random(5))
	e.inStep("Chtimes")
	e.fails("Chtimes of a missing file", e.c.Chtimes(e.ctx, e.at("missing"), time.Unix(1e9, 0)), append(refused, transport.KindUnsupported)...)
	e.gone(e.at("missing"))
	e.inStep("Chtimes of a missing file")
}

// diskTime is the time of a file on the server's disk, zero if that is not known.
func (e *env) diskTime(remote string) time.Time {
	e.Helper()
	name := e.disk(remote)
	if name == "" {
		return time.Time{}
	}
	info, err := os.Stat(name)
	e.ok(err, "stat on the server's disk")
	return info.ModTime()
}

func caseTruncate(e *env) {
	data := random(10_000)
	e.put(e.at("f"), data)
	if !e.c.Info().Caps.Truncate {
		err := e.c.Truncate(e.ctx, e.at("f"), 100)
		e.fails("Truncate without Caps.Truncate", err, transport.KindUnsupported)
		if !errors.Is(err, errors.ErrUnsupported) {
			e.Errorf("errors.Is(err, errors.ErrUnsupported) is false for %v", err)
		}
		e.holds(e.at("f"), data)
		e.inStep("Truncate")
		return
	}
	for _, size := range []int64{10_000, 9_999, 500, 0} {
		e.ok(e.c.Truncate(e.ctx, e.at("f"), size), "Truncate to %d", size)
		e.holds(e.at("f"), data[:size])
	}
	e.fails("Truncate of a missing file", e.c.Truncate(e.ctx, e.at("missing"), 0), transport.KindNotExist)
	e.gone(e.at("missing"))
	e.inStep("Truncate")
}
