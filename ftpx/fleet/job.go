package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Op is what a job does.
type Op string

// The operations.
const (
	// Upload sends a file of a root to the target.
	Upload Op = "upload"
	// Download fetches a file of the target into a root.
	Download Op = "download"
	// Mirror makes a folder hold what another holds: of Source and Dest one names a root.
	Mirror Op = "mirror"
	// Delete deletes a file or an empty folder at the target. One that is not there is no error.
	Delete Op = "delete"
	// Copy fetches a file from another target and sends it to this one.
	Copy Op = "copy"
)

// Class says which jobs of a target go first.
type Class string

// The classes, from the first to the last.
const (
	Urgent Class = "urgent"
	Normal Class = "normal"
	Bulk   Class = "bulk"
)

// classes are all of them in their order, which nothing changes.
func classes() []Class { return []Class{Urgent, Normal, Bulk} }

const (
	// MaxJob is the most bytes that a job may have as JSON.
	MaxJob = 64 << 10
	// Version is the newest version of the job's format.
	Version = 1
	// maxAfter is how many jobs one may wait for.
	maxAfter = 256
)

// Job is one piece of work, as it is written in JSON. docs/fleet-job.schema.json is its
// schema. [Decode] reads it strictly.
type Job struct {
	// Version is that of the format; 0 means 1.
	Version int `json:"version,omitempty"`
	// ID names the job: 1 to 64 letters, digits, "-" and "_". "" means a hash of what the
	// job is, so that one submitted twice is one.
	ID string `json:"id,omitempty"`
	// Op is what it does.
	Op Op `json:"op"`
	// Source is "ROOT:PATH" for Upload and for a Mirror to the target, a path at the target
	// for Download and for a Mirror from it, and "TARGET:PATH" for Copy. Delete has none.
	Source string `json:"source,omitempty"`
	// Target is the partner, by its name in the workers' configuration.
	Target string `json:"target"`
	// Dest is a path at the target, or "ROOT:PATH" for Download and a Mirror from it.
	Dest string `json:"dest"`
	// Class is "urgent", "normal" or "bulk"; "" means normal.
	Class Class `json:"class,omitempty"`
	// Delivery says how what is sent gets to its name; the zero value is atomic.
	Delivery ftpx.Delivery `json:"delivery,omitempty"`
	// Verify is "auto", "size" or "full"; "" means the target's.
	Verify string `json:"verify,omitempty"`
	// After are the ids of jobs that must be done before. If one of them is dead or
	// cancelled, so is this.
	After []string `json:"after,omitempty"`
	// NotBefore is when it may begin.
	NotBefore time.Time `json:"not_before,omitzero"`
	// Deadline is when it is dead unless it is done.
	Deadline time.Time `json:"deadline,omitzero"`
	// Group is a word by which several jobs are looked at together, or "".
	Group string `json:"group,omitempty"`
	// Size and Time are those of the source when it was submitted, if they were known. They
	// are part of the id: a file that has changed is another job.
	Size int64 `json:"size,omitempty"`
	// Time is that of the last change; see Size.
	Time time.Time `json:"time,omitzero"`
}

// hash is the id of a job that was given none.
func (j *Job) hash() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d\x00%d", j.Op, j.Source, j.Target, j.Dest, j.Size, stamp(j.Time)))
	return hex.EncodeToString(sum[:16])
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// fill puts in what was left out.
func (j *Job) fill() {
	if j.Version == 0 {
		j.Version = Version
	}
	if j.Class == "" {
		j.Class = Normal
	}
	if j.ID == "" {
		j.ID = j.hash()
	}
}

// up says which way a job moves: true towards the target.
func (j *Job) up() bool {
	if j.Op != Mirror {
		return j.Op != Download
	}
	_, _, named := splitPlace(j.Source)
	return named
}

// local is the place of the job that lies in a root, "" for none.
func (j *Job) local() string {
	switch {
	case j.Op == Delete || j.Op == Copy:
		return ""
	case j.up():
		return j.Source
	}
	return j.Dest
}
