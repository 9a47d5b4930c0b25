package job

import (
	"context"
	"errors"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// probe asks package folder what it thinks of options, and says what is wrong with
// them: it checks them all before it looks at the source, and this one cannot be.
func probe(up bool, o folder.Options) string {
	o.Once = false // needs a ledger, which is opened when the job runs
	o.Ledger = nil
	o.DryRun = true
	const nowhere = "\x00"
	var err error
	if up {
		_, err = folder.Upload(context.Background(), nobody{}, nowhere, ".", &o)
	} else {
		_, err = folder.Download(context.Background(), nobody{}, ".", nowhere, &o)
	}
	text := strings.TrimPrefix(err.Error(), "folder: ")
	if strings.HasPrefix(text, "the source: ") {
		return ""
	}
	return text
}

// nobody is a client that has no server.
type nobody struct{ ftpx.Client }

var errNobody = errors.New("there is no server")

// Stat is part of ftpx.Files.
func (nobody) Stat(context.Context, string) (ftpx.Entry, error) { return ftpx.Entry{}, errNobody }

// Begin is part of ftpx.Client.
func (nobody) Begin(ctx context.Context, _ ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
	return ctx, func(ftpx.OperationEnd) {}
}
