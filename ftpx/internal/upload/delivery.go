package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Delivery is how a file gets to its name.
type Delivery uint8

// The ways.
const (
	// Atomic: it is sent under the name of a partial, checked, and renamed.
	Atomic Delivery = iota
	// Direct: it is sent under its own name, and checked there as far as the server
	// allows that.
	Direct
	// Drop: it is sent under its own name, and nothing is asked about it.
	Drop
)

// Refusal says that a folder does not take a file in the way it is delivered, and that no
// further attempt changes that.
type Refusal struct {
	// What is refused: "name" (to create the partial), "look" (at what was sent), "rename",
	// or "keep": a receiver takes files as they are closed.
	What string
	// Err is what the server said.
	Err error
}

// Error names the option that helps.
func (r *Refusal) Error() string {
	const remedy = "deliver without one: Delivery Direct sends under the final name, Drop asks nothing about the file"
	switch r.What {
	case "name":
		return fmt.Sprintf("%v; if it is the name of the partial that the server does not take, choose another with PartialName, or %s", r.Err, remedy)
	case "look":
		return fmt.Sprintf("the server shows nothing of what it was sent, so that a partial cannot be checked: %s (%v)", remedy, r.Err)
	case "keep":
		return fmt.Sprintf("%v; for a folder whose files are taken as they are closed, set Delivery to Drop", r.Err)
	}
	return fmt.Sprintf("the server does not rename, so that a partial cannot get its name: %s (%v)", remedy, r.Err)
}

// Unwrap returns what the server said.
func (r *Refusal) Unwrap() error { return r.Err }

// final reports whether a refusal by the server cannot change: it is about what is asked,
// not about when.
func final(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindPermission, transport.KindUnsupported, transport.KindRefused, transport.KindName:
		return true
	}
	return false
}

// cannot ends an upload by way of a partial, to a folder that does not allow it, and
// removes what was begun.
func (u *upload) cannot(ctx context.Context, l *session.Lease, what string, cause error) error {
	u.part.held = max(u.part.held, u.part.acked)
	if err := l.Remove(ctx, u.part.name); err == nil || errors.Is(err, fs.ErrNotExist) {
		u.part.confirmed, u.part.held, u.part.acked, u.part.written, u.checked = 0, 0, 0, false, false
	}
	return retry.Stop(&Refusal{What: what, Err: cause})
}

// renameRefused judges the refusal of a rename: where all is as it was before, and the
// server would say the same again, there is no rename to be had.
func (u *upload) renameRefused(ctx context.Context, l *session.Lease, err error) error {
	if !l.Usable() || u.commit.begun || u.commit.backedUp || u.commit.taken || !final(err) {
		return err
	}
	return u.cannot(ctx, l, "rename", err)
}

// nameRefused judges the refusal of a partial in a folder that is there.
func (u *upload) nameRefused(err error) error {
	if u.spec.Delivery != Atomic {
		return err
	}
	switch transport.KindOf(err) {
	case transport.KindName, transport.KindRefused, transport.KindPermission:
		return &Refusal{What: "name", Err: err}
	}
	return err
}

// anonymous reports whether the name under which a file is sent says nothing about its
// content, so that what lies there may be any file.
func (u *upload) anonymous() bool {
	return u.spec.Delivery != Atomic || u.spec.PartialName != "" && !strings.Contains(u.spec.PartialName, "{id}")
}

// partialName is the name under which a generation is sent.
func (u *upload) partialName(generation int, far bool) string {
	switch {
	case u.spec.Delivery != Atomic:
		return u.spec.Dest
	case u.spec.PartialName != "":
		return fillName(u.spec.PartialName, u.spec.Dest, u.identity, generation, far)
	}
	return partialName(u.spec.Dest, u.identity, generation, far)
}

// Invalid reports which fields of a spec cannot be had, or cannot be had together.
func (s *Spec) Invalid() error {
	field, err := "PartialName", CheckPartialName(s.PartialName)
	switch {
	case s.Append && s.NoReplace:
		field, err = "Append", errors.New("with NoReplace there is never a file to add to")
	case s.Append && (s.Delivery != Atomic || s.PartialName != ""):
		field, err = "Append", errors.New("bytes are added to the file itself: leave Delivery and PartialName unset")
	case s.Append && s.ASCII:
		field, err = "Append", errors.New("with FTPType ASCII the file's size tells nothing, so that bytes could be added twice")
	case s.ASCII && s.Delivery != Drop:
		field, err = "Delivery", errors.New("with FTPType ASCII nothing that was sent can be compared with what is there, so set it to Drop")
	case s.Delivery > Drop:
		field, err = "Delivery", errors.New("there is no such way of delivery")
	case s.Delivery != Atomic && s.PartialName != "":
		err = errors.New("there is no partial with that Delivery")
	case s.Delivery == Drop && s.NoReplace:
		field, err = "NoReplace", errors.New("DeliverDrop does not look whether there is a file")
	case s.Delivery == Drop && s.Verify == transfer.VerifyFull:
		field, err = "Verify", errors.New("DeliverDrop asks nothing about the file, so that it cannot be read back")
	}
	if err == nil {
		return nil
	}
	return retry.Stop(&transport.Error{Op: s.Task.Op, Path: s.Dest, Kind: transport.KindInvalid, Err: fmt.Errorf("field %s: %w", field, err)})
}

// fillName makes a partial's name of a template, see [CheckPartialName].
func fillName(template, dest, identity string, generation int, far bool) string {
	dir, base := path.Split(dest)
	id := partialID(dest, identity, far)
	tail := ""
	if generation > 0 {
		tail = "-" + strconv.Itoa(generation)
	}
	folder, name := path.Split(template)
	rest := len(strings.NewReplacer("{name}", "", "{id}", id).Replace(name)) + len(tail)
	whole := "{id}"
	if strings.Contains(name, "{name}") {
		whole = "{name}"
	}
	name = strings.Replace(name, whole, whole+tail, 1)
	name = strings.NewReplacer("{name}", Clip(base, max(MaxName-rest, 1)), "{id}", id).Replace(name)
	if path.IsAbs(folder) {
		return folder + name
	}
	return dir + folder + name
}

// CheckPartialName reports what is wrong with a template for the names of partials: "" for
// the usual ones, or a name with {name}, the file's own, or {id}, 16 hexadecimal digits
// that tell the source's content, its destination and how it is written, once; before it may stand a folder,
// relative to the file's.
func CheckPartialName(template string) error {
	if template == "" {
		return nil
	}
	if err := transport.CheckPath(template); err != nil {
		return err
	}
	folder, name := path.Split(template)
	bare := strings.NewReplacer("{name}", "", "{id}", "").Replace(name)
	switch {
	case strings.ContainsAny(folder+bare, "{}"):
		return errors.New("what stands in braces must be {name} or {id}, in the last element")
	case len(name) == len(bare):
		return errors.New("it must contain {name} or {id}: else all files would have one partial")
	case strings.Count(name, "{name}") > 1 || strings.Count(name, "{id}") > 1:
		return errors.New("{name} and {id} may be in it once")
	case folder == "" && name == "{name}":
		return errors.New("it would be the file's own name: that is delivery Direct")
	case len(bare)+16 >= MaxName:
		return errors.New("it is too long")
	}
	for _, part := range strings.Split(folder, "/") {
		if part == ".." {
			return errors.New("a folder in it may not be \"..\"")
		}
	}
	return nil
}
