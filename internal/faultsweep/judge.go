package faultsweep

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// Evidence is what is found when a transfer has returned.
type Evidence struct {
	Transfer Transfer
	// Want is the content that was to arrive, Old what was at the destination
	// before, nil for nothing.
	Want, Old []byte
	// Got is what is under the final name, nil for nothing; for Get what the
	// writer took.
	Got []byte
	// Name is the last element of the final name, Names all that is in its
	// folder.
	Name  string
	Names []string
	// Leftover may lie in the folder after success, by no fault of the client.
	Leftover func(name string) bool
	// Renamed says that a request to rename was sent.
	Renamed bool
	// Survivable says that nothing befell the transfer that it must not survive.
	Survivable bool
	// Corrupted says that payload was changed on the way and nothing was there
	// to notice it by: no hash, no read-back, no TLS.
	Corrupted bool
	// Unseen says that the server may have refused to describe the file that was fetched.
	Unseen bool
	// Lied says that the server did something and said that it had not.
	Lied bool

	Result ftpx.Result
	Err    error
}

// Judge returns what is wrong with the end of a transfer:
//
//   - no error: the exact bytes are under the final name, nothing else is in its
//     folder, and the result says so;
//   - an error: it is an [*ftpx.Error] that tells the truth. Not done: what was
//     under the final name is there as before. Unknown: only after a request to
//     rename was sent, and the old or the new content is there, whole.
func Judge(e Evidence) []string {
	var bad []string
	add := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	isNew, isOld := e.Got != nil && bytes.Equal(e.Got, e.Want), same(e.Got, e.Old)
	isNew = isNew || e.Corrupted && len(e.Got) == len(e.Want)
	if e.Err == nil {
		if !isNew {
			add("success, but the final name holds %s", describe(e.Got, e.Want))
		}
		if left := e.left(); e.Transfer != Get && len(left) > 0 {
			add("success, but the folder holds %q", left)
		}
		return append(bad, judgeResult(e)...)
	}
	var fe *ftpx.Error
	if !errors.As(e.Err, &fe) {
		add("the error is a %T", e.Err)
		return bad
	}
	if fe.Outcome != e.Result.Outcome {
		add("the error says %v, the result %v", fe.Outcome, e.Result.Outcome)
	}
	if e.Survivable {
		add("not survived")
	}
	switch {
	case fe.Outcome == ftpx.Done:
		add("an error with outcome done")
	case fe.Outcome == ftpx.Unknown && (!e.Renamed || !e.Transfer.sends()):
		add("unknown, but no rename was sent")
	case e.Transfer == Get:
		if !bytes.HasPrefix(e.Want, e.Got) && !e.Corrupted {
			add("the writer was given what is not the beginning of the file: %s", describe(e.Got, e.Want))
		}
	case fe.Outcome == ftpx.Unknown && !isNew && !isOld:
		if len(backups(e.Names)) == 0 || e.Got != nil {
			add("unknown, and the final name holds a mixture: %s", describe(e.Got, e.Want))
		}
	case fe.Outcome == ftpx.NotDone && !isOld && !(e.Lied && isNew):
		add("not done, but the final name holds %s", describe(e.Got, e.Want))
	}
	return bad
}

// left is what lies beside the final name.
func (e Evidence) left() (names []string) {
	for _, n := range e.Names {
		if n != e.Name && (e.Leftover == nil || !e.Leftover(n)) {
			names = append(names, n)
		}
	}
	return names
}

// judgeResult looks at the result of a success.
func judgeResult(e Evidence) []string {
	var bad []string
	add := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	r := e.Result
	if r.Outcome != ftpx.Done {
		add("no error, and the outcome is %v", r.Outcome)
	}
	if r.Size != int64(len(e.Want)) {
		add("the size is given as %d", r.Size)
	}
	if !r.Verified.Size && !(e.Unseen && r.Verified.Acknowledged) {
		add("the size was not verified")
	}
	if r.Unchanged {
		add("it is said to be unchanged")
	}
	if r.Kept != 0 {
		add("%d bytes are said to have been there", r.Kept)
	}
	if r.Moved < r.Size-r.Kept {
		add("%d bytes are said to have moved, of %d", r.Moved, r.Size)
	}
	if r.Attempts < 1 || r.Resumes > r.Attempts || r.Addr == "" || !r.Protocol.Valid() {
		add("the result makes no sense")
	}
	return bad
}

// same compares contents, of which nil is no file.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// backups finds what a replaced file is kept under.
func backups(names []string) (found []string) {
	for _, n := range names {
		if strings.Contains(n, ".ftpx-") && strings.HasSuffix(n, ".bak") {
			found = append(found, n)
		}
	}
	return found
}

// describe says in what a content differs from the one wanted.
func describe(got, want []byte) string {
	if got == nil {
		return "nothing"
	}
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	return fmt.Sprintf("%d bytes, which agree with the %d wanted up to byte %d", len(got), len(want), n)
}

// Definite reports whether an error is a server's clear refusal, which garbage
// on an unprotected control connection can look like.
func Definite(err error) bool {
	var spent *retry.Error
	if errors.As(err, &spent) && spent.Last() != nil {
		err = spent.Last()
	}
	return retry.Classify(err) == retry.Permanent
}
