package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ErrJob: a job is not what a job may be. The error names the field and the remedy.
var ErrJob = errors.New("not a job")

// FieldError says what is wrong with a field of a job. It is an [ErrJob].
type FieldError struct {
	// Field is the field's name in JSON, "" for the whole.
	Field string
	// Why says what is wrong and what to write. Nothing in it controls a terminal.
	Why string
}

// Error returns one line.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return "the job: " + e.Why
	}
	return "the job's " + e.Field + ": " + e.Why
}

// Is makes it an ErrJob.
func (e *FieldError) Is(target error) bool { return target == ErrJob }

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Why: transport.Printable(fmt.Sprintf(format, args...))}
}

// Decode reads a job from JSON, strictly: fields that it does not know, a second value, more
// than [MaxJob] bytes and a newer version are errors, each a [*FieldError].
func Decode(data []byte) (Job, error) {
	var j Job
	if len(data) > MaxJob {
		return j, wrong("", "it has %d bytes, and %d are the most: leave the long paths or the list in \"after\" out", len(data), MaxJob)
	}
	if !utf8.Valid(data) {
		return j, wrong("", "it is not UTF-8: write it so")
	}
	// The version comes first: fields of a newer one are no mistakes.
	var v struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(data, &v) == nil && (v.Version < 0 || v.Version > Version) {
		return j, wrong("version", "%d is not known: this program knows %d; update it, or submit with the older one", v.Version, Version)
	}
	if err := checkKeys(data); err != nil {
		return j, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return Job{}, decodeError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Job{}, wrong("", "something follows the job: give one JSON object")
	}
	j.fill()
	return j, j.Check()
}

// checkKeys refuses what the decoder would take by its own lights: a field that is there twice,
// of which it takes the last, and one that is spelled with other capitals.
func checkKeys(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil // which the decoder says better
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return nil
		}
		switch lower := strings.ToLower(key); {
		case seen[lower]:
			return wrong(key, "it is there twice: write it once")
		case lower != key:
			return wrong(key, "there is no such field: docs/fleet.md lists them, in small letters")
		}
		seen[key] = true
	}
	return nil
}

func decodeError(err error) error {
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return wrong(wrongType.Field, "a %s does not belong here: write %s", wrongType.Value, wrongType.Type)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return wrong(strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`), "there is no such field: docs/fleet.md lists them")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return wrong("", "it ends too early: give one whole JSON object")
	}
	return wrong("", "%v", err)
}

var (
	idPattern   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,47}$`)
)

// CheckName reports what is wrong with the name of a target or a root: 1 to 48 small
// letters, digits, "-" and "_".
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%q is not a valid name: use 1 to 48 of a-z, 0-9, - and _, beginning with a letter or digit", transport.Printable(name))
	}
	return nil
}

// Check reports the first thing that is wrong with a job, as a [*FieldError]. Whether target
// and roots exist is known to workers alone.
func (j *Job) Check() error {
	switch {
	case j.Version < 0 || j.Version > Version:
		return wrong("version", "%d is not known: this program knows %d", j.Version, Version)
	case !idPattern.MatchString(j.ID):
		return wrong("id", "%q is not a valid id: use 1 to 64 letters, digits, - and _, or leave it out", j.ID)
	case CheckName(j.Target) != nil:
		return wrong("target", "%v", CheckName(j.Target))
	case !slices.Contains(classes(), j.Class):
		return wrong("class", "%q is not known: write urgent, normal or bulk", j.Class)
	case !slices.Contains([]string{"", "auto", "size", "full"}, j.Verify):
		return wrong("verify", "%q is not known: write auto, size or full", j.Verify)
	case j.Group != "" && !idPattern.MatchString(j.Group):
		return wrong("group", "%q is not a valid group: use 1 to 64 letters, digits, - and _", j.Group)
	case j.Size < 0:
		return wrong("size", "%d is negative: write bytes, or leave it out", j.Size)
	case len(j.After) > maxAfter:
		return wrong("after", "%d jobs are too many: %d are the most; wait for one that waits for the others", len(j.After), maxAfter)
	case !j.Deadline.IsZero() && !j.NotBefore.IsZero() && !j.NotBefore.Before(j.Deadline):
		return wrong("not_before", "it is not before the deadline, so that nothing could be done: exchange them")
	}
	for _, id := range j.After {
		if !idPattern.MatchString(id) || id == j.ID {
			return wrong("after", "%q is not a valid id of another job: use 1 to 64 letters, digits, - and _", id)
		}
	}
	return j.checkPlaces()
}

func (j *Job) checkPlaces() error {
	switch j.Op {
	case Upload, Download:
	case Mirror:
		_, _, from := splitPlace(j.Source)
		_, _, to := splitPlace(j.Dest)
		if from == to {
			return wrong("source", "of source and dest one must lie in a root: write ROOT:PATH there, and a path at the target in the other")
		}
	case Delete:
		if j.Source != "" {
			return wrong("source", "delete has none: leave it out, and name what is to be deleted in dest")
		}
		return checkRemote("dest", j.Dest)
	case Copy:
		if err := checkNamed("source", j.Source, "TARGET:PATH"); err != nil {
			return err
		}
		if name, _, _ := splitPlace(j.Source); name == j.Target {
			return wrong("source", "it is on the target itself: name another target")
		}
		return checkRemote("dest", j.Dest)
	default:
		return wrong("op", "%q is not known: write upload, download, mirror, delete or copy", j.Op)
	}
	local, remote := "source", "dest"
	here, there := j.Source, j.Dest
	if !j.up() {
		local, remote, here, there = "dest", "source", j.Dest, j.Source
	}
	if err := checkNamed(local, here, "ROOT:PATH"); err != nil {
		return err
	}
	return checkRemote(remote, there)
}

// splitPlace takes "NAME:PATH" apart.
func splitPlace(place string) (name, rel string, ok bool) {
	name, rel, ok = strings.Cut(place, ":")
	return name, rel, ok && namePattern.MatchString(name)
}

func checkNamed(field, place, form string) error {
	name, rel, ok := strings.Cut(place, ":")
	switch {
	case place == "":
		return wrong(field, "it is missing: write %s", form)
	case !ok || CheckName(name) != nil:
		return wrong(field, "%q is not of the form %s", place, form)
	case !utf8.ValidString(place):
		return wrong(field, "%q is not UTF-8, which a job must be: rename the file, or use a mirror job for its folder", place)
	case form == "ROOT:PATH":
		if path.Clean(rel) != rel || !filepath.IsLocal(filepath.FromSlash(rel)) || strings.ContainsAny(rel, "\x00\r\n") {
			return wrong(field, "%q is not a valid path within the root: use slashes, no \"..\", CR or LF, and do not begin with a slash", rel)
		}
		return nil
	}
	return checkRemote(field, rel)
}

// checkRemote refuses paths that could lead elsewhere than they say. The rest is the
// client's to check.
func checkRemote(field, p string) error {
	switch {
	case p == "":
		return wrong(field, "it is missing: write a path at the target")
	case !utf8.ValidString(p):
		return wrong(field, "%q is not UTF-8, which a job must be: rename the file, or use a mirror job for its folder", p)
	case slices.Contains(strings.Split(p, "/"), ".."):
		return wrong(field, "%q holds \"..\": write the path that is meant", p)
	}
	if err := transport.CheckPath(p); err != nil {
		return wrong(field, "%q: %v", p, err)
	}
	return nil
}
