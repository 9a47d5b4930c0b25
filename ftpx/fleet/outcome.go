package fleet

import (
	"context"
	"errors"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	errCancelled = errors.New("the job was cancelled")
	errDeadline  = errors.New("the deadline has passed")
	errBusy      = errors.New("the source's target has no free connection")
	errUnsettled = errors.New("a lost session may still replace what was sent")
)

// fate is what becomes of a job after a try.
type fate uint8

const (
	fateDone    fate = iota
	fateAgain        // for a reason that may pass: it is scheduled again
	fateBack         // for a reason that is the target's or the worker's: it goes back to the queue
	fateDead         // for a reason of its own, which will not pass
	fateUnknown      // it may have taken effect: dead, and not replayed by mistake
	fateCancelled
	fateLost // another worker may have it: nothing more is said about it
)

// fateOf decides what an error of a job means. ctx is the job's, whose cause says who ended it.
func fateOf(ctx context.Context, j *Job, err error) fate {
	var e *ftpx.Error
	switch cause := context.Cause(ctx); {
	case err == nil:
		return fateDone
	case errors.Is(cause, errLost):
		return fateLost
	case errors.Is(cause, errCancelled):
		return fateCancelled
	case errors.As(err, &e) && e.Outcome == ftpx.Unknown && (e.Acknowledged || j.Delivery != ftpx.DeliverAtomic):
		return fateUnknown
	case errors.Is(cause, errDeadline):
		return fateDead
	case cause != nil:
		return fateBack // the worker ends
	}
	switch {
	case errors.Is(err, folder.ErrMaybeDelivered):
		return fateUnknown
	case errors.Is(err, errBusy), errors.Is(err, errUnsettled), errors.Is(err, ftpx.ErrReplaced), errors.Is(err, ftpx.ErrSourceChanged), errors.Is(err, folder.ErrUnsettled):
		return fateAgain
	case ftpx.EndsAll(err):
		return fateBack
	case errors.Is(err, folder.ErrIncomplete):
		return fateAgain // of its files some may have failed for good: the tries are counted
	}
	switch ftpx.KindOf(err) {
	case transport.KindLocal:
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return fateDead
		}
	case transport.KindUnknown:
		return fateAgain // the engine's, the spool's
	}
	if retry.Classify(err) == retry.Permanent {
		return fateDead
	}
	return fateAgain
}
