package ftpx

import (
	"context"
	"io"
)

func (c *client) Put(ctx context.Context, remotePath string, r io.Reader, opts *PutOptions) (Result, error) {
	if opts == nil {
		opts = &PutOptions{}
	}
	u := c.newUpload("put", "", remotePath, opts.Verify, opts.Progress)
	u.createDirs, u.noReplace, u.keepTime = opts.CreateDirs, opts.NoReplace, true
	u.t.limit = newLimiter(opts.MaxRate)
	return u.do(ctx, func() (source, error) { return newSource(r, opts) })
}
