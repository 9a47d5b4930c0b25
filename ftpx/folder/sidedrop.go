package folder

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// dropped is a remote folder into which files are dropped ([ftpx.DeliverDrop]): nothing is
// asked about it, so that it is there and empty.
type dropped struct{ *remote }

var errDropped = errors.New("nothing but dropping files is done in the folder")

func (dropped) root(context.Context) (bool, error)            { return true, nil }
func (dropped) list(context.Context, string) ([]entry, error) { return nil, nil }
func (dropped) stat(context.Context, string) (entry, error)   { return entry{}, fs.ErrNotExist }
func (dropped) mkdir(context.Context, string) error           { return errDropped }
func (dropped) remove(context.Context, string) error          { return errDropped }
func (dropped) rename(context.Context, string, string) error  { return errDropped }

func (d dropped) mark(ctx context.Context, rel string, _ time.Time) error {
	_, err := d.c.Put(ctx, d.full(rel), bytes.NewReader(nil), &ftpx.PutOptions{Delivery: ftpx.DeliverDrop, CreateDirs: true})
	return err
}

// checkDelivery refuses what cannot be had with a way of delivery.
func (o *Options) checkDelivery(up bool) error {
	if o.Delivery == ftpx.DeliverAtomic && o.PartialName == "" {
		return nil
	}
	switch {
	case !up:
		return errors.New("Options.Delivery and PartialName are for uploads: leave them out")
	case o.Delivery != ftpx.DeliverDrop:
		return nil // ftpx checks the rest
	case o.Delete:
		return errors.New("Options.Delete needs to see what is there, and DeliverDrop asks nothing: leave one out")
	case o.Links == LinkKeep || o.KeepModes:
		return errors.New("Options.Links LinkKeep and KeepModes need more than to drop files, and DeliverDrop does no more: leave them out")
	case o.FirstName != "":
		return errors.New("Options.FirstName needs a rename, and DeliverDrop makes none: leave one out")
	}
	return nil
}
