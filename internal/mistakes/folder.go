package main

func inFolder() []mistake {
	return of("folder", "ftpx/folder", []string{"ftpx/folder", "ftpx/watch"}, []mistake{{
		name: "untold-is-nothing", file: "merge.go",
		old:  "		j.blind = true // it may be a folder, with all that is in it\n",
		new:  "",
		what: "Delete removes a folder of the destination whose counterpart the source's server names without saying that it is a folder.",
	}, {
		name: "deletes-in-doubt", file: "delete.go",
		old:  "case !errors.Is(err, fs.ErrNotExist):\n			i.Err = fmt.Errorf(\"not deleted, since",
		new:  "case errors.Is(err, fs.ErrInvalid):\n			i.Err = fmt.Errorf(\"not deleted, since",
		what: "An entry is deleted although the source did not tell whether it has it.",
	}, {
		name: "ageless-partial-goes", file: "delete.go",
		old:  "return !d.timed || j.now.Sub(d.time()) < limit",
		new:  "return j.now.Sub(d.time()) < limit",
		what: "A partial of which the server tells no time is deleted, one that is being written among them.",
	}, {
		name: "coarse-time-proves", file: "decide.go",
		old:  "if !old.TimeExact || !s.exact || old.Size != s.size {",
		new:  "if old.Size != s.size {",
		what: "A source is deleted as the version that was copied, by a time that is exact to the minute or the day.",
	}, {
		name: "one-exact-time", file: "decide.go",
		old:  "known := s.exact && d.exact",
		new:  "known := s.exact || d.exact",
		what: "An exact time is compared with one of a listing to the minute, and every file is copied again, or none.",
	}, {
		name: "moved-unseen", file: "sidemove.go",
		old:  "return to, l.tookRight(from, to, seen)",
		new:  "return to, nil",
		what: "A file that was written anew in the moment of its being archived lies in the archive and was never copied.",
	}, {
		name: "shared-marker-goes", file: "finish.go",
		old:  "if !j.h.ready.set() || j.h.ready.stem || j.o.DryRun {",
		new:  "if !j.h.ready.set() || j.o.DryRun {",
		what: "The marker that several files share goes with the first of them, and the others wait for ever.",
	}, {
		name: "doubt-is-copied", file: "decide.go",
		old:  "return e, found && e.State == \"\", err",
		new:  "return e, found, err",
		what: "A file that may have been delivered, or not, counts as copied.",
	}, {
		name: "strangers-uncounted", file: "delete.go",
		old:  "	j.there += len(entries)\n	j.count",
		new:  "	j.count",
		what: "MaxDelete compares with too few entries, and refuses to delete what it allows.",
	}})
}
