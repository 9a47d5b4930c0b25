package ftpxtest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Client is a client of a server in memory. Besides what every [ftpx.Client] does
// it fails on demand and tells what it was called for. Close it, as any other.
type Client struct {
	ftpx.Client
	server *memconn.Server

	mu    sync.Mutex // guards what follows
	fail  map[string][]error
	calls map[string]int
}

var _ ftpx.Client = (*Client)(nil)

// ClientOption is something about a [Client] that is not as usual.
type ClientOption func(*clientConfig)

type clientConfig struct {
	ftpx   ftpx.Options
	server memconn.Options
}

// WithOptions has the client opened with options: hooks, retry policy, limits.
// Addresses, ports and trust mean nothing to a server in memory. Without Protocols
// it is SFTP; without a retry policy that of [Quick].
func WithOptions(o ftpx.Options) ClientOption { return func(c *clientConfig) { c.ftpx = o } }

// WithRoundTrip makes each answer of the server take a time, of the bubble's clock
// under testing/synctest.
func WithRoundTrip(d time.Duration) ClientOption {
	return func(c *clientConfig) { c.server.RoundTrip = d }
}

// WithRate makes payload move at so many bytes a second.
func WithRate(bytesPerSecond int64) ClientOption {
	return func(c *clientConfig) { c.server.Rate = bytesPerSecond }
}

// NewClient returns a client of an empty server. It panics where [WithOptions]
// brings options that cannot work, with the error that says why.
func NewClient(opts ...ClientOption) *Client {
	var cfg clientConfig
	for _, o := range opts {
		o(&cfg)
	}
	o := cfg.ftpx
	if len(o.Protocols) == 0 {
		o.Protocols = []ftpx.Protocol{ftpx.SFTP}
	}
	o.AllowPlaintext = o.AllowPlaintext || slices.Contains(o.Protocols, ftpx.FTP)
	if o.Retry.InitialDelay == 0 && o.Retry.MaxDelay == 0 && o.Retry.BusyDelay == 0 {
		quick := Quick()
		o.Retry.InitialDelay, o.Retry.MaxDelay, o.Retry.BusyDelay = quick.InitialDelay, quick.MaxDelay, quick.BusyDelay
	}
	c := &Client{server: memconn.New(cfg.server), fail: map[string][]error{}, calls: map[string]int{}}
	o.Connect = c.server.Dial
	client, err := ftpx.New(context.Background(), ftpx.Config{Host: "memory", User: "user", Options: o})
	if err != nil {
		panic(fmt.Sprintf("ftpxtest: %v", err))
	}
	c.Client = client
	return c
}

// FailNext makes the next call of an operation that has not been made to fail yet
// fail with err; called twice it is the next two. op is as in [ftpx.Error], where
// err is wrapped, unless it is an *ftpx.Error itself: "upload", "download", "put",
// "get", "stat", "list" (List, Walk, and ReadDir of a file system), "rename",
// "remove" (Remove and RemoveAll), "mkdir", "chtimes", "chmod", "symlink", "readlink",
// "space", "raw", "ping", "read" (of a file out of a file system). Any other name panics.
// [Fault] makes an error of a kind. Nothing reaches the server, and nothing is tried again:
// err is what the caller sees after the last attempt. For errors of the line that
// the client mends by itself use [Client.Cut] and [Client.Down].
func (c *Client) FailNext(op string, err error) {
	checkOperation(op)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail[op] = append(c.fail[op], err)
}

// Calls returns how often an operation was called, by the names of [Client.FailNext]; any
// other panics.
func (c *Client) Calls(op string) int {
	checkOperation(op)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[op]
}

// Cut resets all connections, as a restart of the server does.
func (c *Client) Cut() int { return c.server.Cut() }

// Down takes the server away: connections are reset, and new ones refused until
// [Client.Up].
func (c *Client) Down() {
	c.server.SetDown(transport.KindUnreachable)
	c.server.Cut()
}

// Up brings the server back.
func (c *Client) Up() { c.server.SetDown(transport.KindUnknown) }

// WriteFile puts a file on the server, with the folders above it, past the client:
// also while it is down, and uncounted.
func (c *Client) WriteFile(name string, data []byte, modTime time.Time) {
	c.server.Files().Write(name, data, modTime)
}

// ReadFile returns what a file on the server holds, past the client; ok is false
// where there is no such file.
func (c *Client) ReadFile(name string) (data []byte, ok bool) { return c.server.Files().Read(name) }

// called counts a call and returns the error that it is to fail with.
func (c *Client) called(op, local, remote string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[op]++
	queue := c.fail[op]
	if len(queue) == 0 {
		return nil
	}
	err := queue[0]
	c.fail[op] = queue[1:]
	if own, ok := err.(*ftpx.Error); ok {
		return own
	}
	return &ftpx.Error{Op: op, Local: local, Remote: remote, Outcome: outcomeOf(err), Err: err}
}

func noResult(err error) ftpx.Result {
	res := ftpx.Result{Size: -1}
	if e, ok := err.(*ftpx.Error); ok {
		res.Outcome = e.Outcome
	}
	return res
}

// Upload implements [ftpx.Uploader].
func (c *Client) Upload(ctx context.Context, localPath, remotePath string, opts *ftpx.UploadOptions) (ftpx.Result, error) {
	if err := c.called("upload", localPath, remotePath); err != nil {
		return noResult(err), err
	}
	return c.Client.Upload(ctx, localPath, remotePath, opts)
}

// Put implements [ftpx.Uploader].
func (c *Client) Put(ctx context.Context, remotePath string, source io.Reader, opts *ftpx.PutOptions) (ftpx.Result, error) {
	if err := c.called("put", "", remotePath); err != nil {
		return noResult(err), err
	}
	return c.Client.Put(ctx, remotePath, source, opts)
}

// Download implements [ftpx.Downloader].
func (c *Client) Download(ctx context.Context, remotePath, localPath string, opts *ftpx.DownloadOptions) (ftpx.Result, error) {
	if err := c.called("download", localPath, remotePath); err != nil {
		return noResult(err), err
	}
	return c.Client.Download(ctx, remotePath, localPath, opts)
}

// Get implements [ftpx.Downloader].
func (c *Client) Get(ctx context.Context, remotePath string, w io.Writer, opts *ftpx.GetOptions) (ftpx.Result, error) {
	if err := c.called("get", "", remotePath); err != nil {
		return noResult(err), err
	}
	return c.Client.Get(ctx, remotePath, w, opts)
}

// Stat implements [ftpx.Files].
func (c *Client) Stat(ctx context.Context, remotePath string) (ftpx.Entry, error) {
	if err := c.called("stat", "", remotePath); err != nil {
		return ftpx.Entry{}, err
	}
	return c.Client.Stat(ctx, remotePath)
}

// List implements [ftpx.Files].
func (c *Client) List(ctx context.Context, remotePath string) iter.Seq2[ftpx.Entry, error] {
	return func(yield func(ftpx.Entry, error) bool) {
		if err := c.called("list", "", remotePath); err != nil {
			yield(ftpx.Entry{}, err)
			return
		}
		c.Client.List(ctx, remotePath)(yield)
	}
}

// Walk implements [ftpx.Files]. It is counted, and fails, as one "list" of root.
func (c *Client) Walk(ctx context.Context, root string, fn ftpx.WalkFunc) error {
	if err := c.called("list", "", root); err != nil {
		return fn(root, ftpx.Entry{}, err)
	}
	return c.Client.Walk(ctx, root, fn)
}

// Rename implements [ftpx.Files].
func (c *Client) Rename(ctx context.Context, oldPath, newPath string) error {
	if err := c.called("rename", "", oldPath); err != nil {
		return err
	}
	return c.Client.Rename(ctx, oldPath, newPath)
}

// Remove implements [ftpx.Files].
func (c *Client) Remove(ctx context.Context, remotePath string) error {
	if err := c.called("remove", "", remotePath); err != nil {
		return err
	}
	return c.Client.Remove(ctx, remotePath)
}

// RemoveAll implements [ftpx.Files].
func (c *Client) RemoveAll(ctx context.Context, remotePath string) error {
	if err := c.called("remove", "", remotePath); err != nil {
		return err
	}
	return c.Client.RemoveAll(ctx, remotePath)
}

// MkdirAll implements [ftpx.Files].
func (c *Client) MkdirAll(ctx context.Context, remotePath string) error {
	if err := c.called("mkdir", "", remotePath); err != nil {
		return err
	}
	return c.Client.MkdirAll(ctx, remotePath)
}

// Chtimes implements [ftpx.Files].
func (c *Client) Chtimes(ctx context.Context, remotePath string, mtime time.Time) error {
	if err := c.called("chtimes", "", remotePath); err != nil {
		return err
	}
	return c.Client.Chtimes(ctx, remotePath, mtime)
}

// Chmod implements [ftpx.Files].
func (c *Client) Chmod(ctx context.Context, remotePath string, mode fs.FileMode) error {
	if err := c.called("chmod", "", remotePath); err != nil {
		return err
	}
	return c.Client.Chmod(ctx, remotePath, mode)
}

// Symlink implements [ftpx.Files]. The server in memory has no links.
func (c *Client) Symlink(ctx context.Context, target, remotePath string) error {
	if err := c.called("symlink", "", remotePath); err != nil {
		return err
	}
	return c.Client.Symlink(ctx, target, remotePath)
}

// ReadLink implements [ftpx.Files]. The server in memory has no links.
func (c *Client) ReadLink(ctx context.Context, remotePath string) (string, error) {
	if err := c.called("readlink", "", remotePath); err != nil {
		return "", err
	}
	return c.Client.ReadLink(ctx, remotePath)
}

// Space implements [ftpx.Files]. The server in memory does not tell.
func (c *Client) Space(ctx context.Context, remotePath string) (ftpx.Space, error) {
	if err := c.called("space", "", remotePath); err != nil {
		return ftpx.Space{Free: -1, Total: -1}, err
	}
	return c.Client.Space(ctx, remotePath)
}

// Raw implements [ftpx.Files]. The server in memory knows no commands.
func (c *Client) Raw(ctx context.Context, line string) (ftpx.Reply, error) {
	if err := c.called("raw", "", line); err != nil {
		return ftpx.Reply{}, err
	}
	return c.Client.Raw(ctx, line)
}

// Open implements [ftpx.Client]. It fails on demand as "stat", the reads of the file as
// "read".
func (c *Client) Open(ctx context.Context, remotePath string) (*ftpx.File, error) {
	if err := c.called("stat", "", remotePath); err != nil {
		return nil, err
	}
	file, err := c.Client.Open(ctx, remotePath)
	if err != nil {
		return nil, err
	}
	dir, name := path.Split(remotePath)
	return ftpx.NewFile(&openFile{readable: file, f: &fileSystem{c: c, dir: dir}, name: name}), nil
}

// Create implements [ftpx.Client]. It fails on demand as "put".
func (c *Client) Create(ctx context.Context, remotePath string, opts *ftpx.PutOptions) (*ftpx.Writer, error) {
	if strings.HasSuffix(remotePath, "/") {
		return c.Client.Create(ctx, remotePath, opts) // an error of its own
	}
	return ftpx.NewWriter(ctx, func(ctx context.Context, r io.Reader) (ftpx.Result, error) { return c.Put(ctx, remotePath, r, opts) }), nil
}

// Ping implements [ftpx.Client].
func (c *Client) Ping(ctx context.Context) error {
	if err := c.called("ping", "", ""); err != nil {
		return err
	}
	return c.Client.Ping(ctx)
}
