package ftpx

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/remotefs"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Client moves files to and from one server. It is safe for concurrent use;
// calls share its connections, and beyond [Options].MaxConns wait their turn.
//
// Every call honours its context at once, also while it waits for a connection
// or for the next attempt, and returns an [*Error] on failure. Every call is
// tried again by [Options].Retry when the line or the server fails it, and
// looks at what its lost attempt left behind before it acts again; so a call
// may be repeated by the caller too, unless its comment says otherwise.
//
// Remote paths use "/". Relative ones start from [Config].Base, which is "."; where a
// folder is looked at, listed, walked or made, "" is it as well.
//
// Methods may be added to it, so that nobody but this package can implement it: embed a
// Client, nil or real, in your fakes, as [ftpxtest.Client] does, or ask for [Uploader],
// [Downloader] or [Files] only, to which none are added.
//
// [ftpxtest.Client]: https://pkg.go.dev/github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest#Client
type Client interface {
	Uploader
	Downloader
	Files

	// Open opens a file for reading, with what package io/fs and net/http want: Read,
	// ReadAt, Seek, Stat. It looks at the file and holds nothing on the server, see
	// [Files].FS, whose files behave alike. ctx bounds the call and the file.
	Open(ctx context.Context, remotePath string) (*File, error)
	// Create begins an upload of what is written to the [Writer]. It is Put the other way
	// round, with the same options and errors: nothing is there under the name until Close
	// has returned nil. Close or Abort must be called. ctx bounds the call and the Writer.
	Create(ctx context.Context, remotePath string, opts *PutOptions) (*Writer, error)
	// Ping makes one round trip on a connection, opening one if need be.
	Ping(ctx context.Context) error
	// Stats returns counters; it asks nothing of the server.
	Stats() Stats
	// Health returns how each host does in each protocol that was tried, hosts in the order
	// of the configuration. It asks nothing of the server.
	Health() []HostHealth
	// Begin tells the hooks of an operation that is made of several calls, such as a job of
	// package folder: calls with the context that it returns are part of it. The function
	// must be called once, when it has ended; OperationEnd.Conn and Host are not needed.
	// ID, Parent and Host of the info are filled in.
	Begin(ctx context.Context, i OperationInfo) (context.Context, func(OperationEnd))
	// Learned returns what the servers have turned out to be like so far: commands that
	// are announced and refused, ports that cannot be reached. Give it to another client
	// as [Options].Learned, which then does not find it out anew. It holds addresses,
	// no names of files and no secrets, and asks nothing of the server. Its form is
	// versioned and nobody else's business; at most some 200 facts of 1,000 servers.
	Learned() ([]byte, error)
	// Close ends all connections at once. Calls in flight fail with
	// [ErrClosed]. It does not wait for the server, and may be called twice.
	//
	// There are two exceptions, of five seconds at most each. A Put that is in flight is
	// aborted first, so that what it has begun can be removed, see [Uploader]. And where a session was lost in the middle of an upload,
	// on a host that has not shown that it writes at offsets, the server may
	// replace the file when it notices, seconds after Upload has looked at it and
	// returned: with what that session had sent. Close looks at such files once
	// more, and its error names each that has changed,
	// as an [*Error] around [ErrReplaced]. One that is not there any more has been
	// taken by its receiver. What [Rechecker] has looked at is not looked at again.
	Close() error

	sealed()
}

// Uploader is the part of a [Client] that sends files.
type Uploader interface {
	// Upload sends a local file to remotePath. It goes to a partial beside it,
	// whose name derives from the content, and appears under its own name only
	// when it is complete and checked, replacing what was there. If a partial
	// of the same source is there, from a failed attempt, another run or
	// another machine, its bytes are proven and kept.
	Upload(ctx context.Context, localPath, remotePath string, opts *UploadOptions) (Result, error)
	// Put sends what source holds. An io.ReaderAt or io.Seeker (*os.File,
	// *bytes.Reader, *strings.Reader, *io.SectionReader) is read from its
	// beginning, as often as needed. Of any other reader what has gone by is
	// kept, within PutOptions.Spool, so that it can be sent again; beyond that
	// the call has one attempt and fails with [ErrNotRewindable] if that fails.
	//
	// Nobody can resume the partial of such a reader after the call has failed. The error
	// names it, and the client removes it in the background, for half a minute at most,
	// where the server lets it; Close waits for that.
	Put(ctx context.Context, remotePath string, source io.Reader, opts *PutOptions) (Result, error)
}

// Downloader is the part of a [Client] that fetches files.
type Downloader interface {
	// Download fetches a file to localPath. It goes to localPath.part, with a
	// small localPath.part.state beside it, and appears under its own name
	// only when it is complete and checked, replacing what was there. If a
	// part of the same remote file is there, it goes on. Where the part's name
	// is too long, or taken by a file that is not a download's, it has another,
	// which Error.Partial tells. A large file may be fetched over several
	// connections, of those that MaxConns allows and nobody waits for; the part
	// has gaps then.
	Download(ctx context.Context, remotePath, localPath string, opts *DownloadOptions) (Result, error)
	// Get writes a file to w, each byte once and in order, whatever happens on
	// the way. Bytes that w has taken cannot be taken back: if the call fails,
	// or the file changes on the server meanwhile, w holds the beginning alone.
	Get(ctx context.Context, remotePath string, w io.Writer, opts *GetOptions) (Result, error)
}

// Files is the part of a [Client] that looks at and changes what is there.
type Files interface {
	// Stat describes a file or folder, following links.
	Stat(ctx context.Context, remotePath string) (Entry, error)
	// List iterates over the entries of a folder in the server's order. The
	// listing is read whole before the first entry is yielded, so that a lost
	// connection cannot show an entry twice. An error comes last, alone.
	List(ctx context.Context, remotePath string) iter.Seq2[Entry, error]
	// Walk calls fn for root and everything below it, parents first, entries
	// sorted by name, as filepath.WalkDir does; fn may return fs.SkipDir and
	// fs.SkipAll. Links are not followed. Names that hold a separator or are
	// ".." are reported as an error and not descended into.
	Walk(ctx context.Context, root string, fn WalkFunc) error
	// Rename moves a file or folder, replacing a file that is at newPath.
	Rename(ctx context.Context, oldPath, newPath string) error
	// Remove deletes a file or an empty folder.
	Remove(ctx context.Context, remotePath string) error
	// RemoveAll deletes a file, or a folder and all below it. What is not there
	// is no error. Links are removed, not followed.
	RemoveAll(ctx context.Context, remotePath string) error
	// MkdirAll creates a folder and its parents. One that is there is no error.
	MkdirAll(ctx context.Context, remotePath string) error
	// Chtimes sets the modification time, to the second. errors.ErrUnsupported
	// where the server cannot.
	Chtimes(ctx context.Context, remotePath string, mtime time.Time) error
	// Chmod sets the permission bits, and setuid, setgid and sticky, of mode (SETSTAT, SITE
	// CHMOD). errors.ErrUnsupported where the server cannot. It may be repeated.
	Chmod(ctx context.Context, remotePath string, mode fs.FileMode) error
	// Symlink makes remotePath a symbolic link that says target, which is sent as it is.
	// SFTP alone has links: errors.ErrUnsupported elsewhere. One that is there fails.
	Symlink(ctx context.Context, target, remotePath string) error
	// ReadLink returns what a symbolic link says. It is the server's word: it may lead
	// anywhere. errors.ErrUnsupported on FTP.
	ReadLink(ctx context.Context, remotePath string) (string, error)
	// Space tells how much room there is on the volume of a path (statvfs@openssh.com,
	// AVBL). errors.ErrUnsupported where the server does not tell.
	Space(ctx context.Context, remotePath string) (Space, error)
	// Raw sends one command line on FTP, such as "SITE UMASK 022", and returns the final
	// reply, whatever its code. Commands that move data or change what a connection relies
	// on (TYPE, CWD, REST, RNFR and the like) are refused; errors.ErrUnsupported on SFTP.
	// Connections are shared: what the command changes holds for one of them. If its reply
	// is lost the outcome is [Unknown], and it is not repeated.
	Raw(ctx context.Context, line string) (Reply, error)
	// FS returns [Config].Base and what is below it as a file system for reading:
	// fs.ReadDirFS, fs.StatFS, fs.ReadFileFS and fs.SubFS. Its files are
	// io.ReaderAt, io.Seeker and io.WriterTo too. It asks nothing of the server
	// by itself. ctx bounds every operation on it and on its files.
	//
	// Errors are *fs.PathError around an [*Error]; of a name that is not valid
	// (fs.ValidPath, or CR, LF or NUL in it) fs.ErrInvalid. Links are followed,
	// also where they lead out of Base, if the server does; a listing shows them
	// as links. Entries are sorted. Those whose name is not valid UTF-8, holds "/"
	// or a control character, or is "." or ".." are left out, since no such file
	// could be opened by it: List shows them. Info of an entry costs a question
	// where the listing was not exact, as on servers without MLSD.
	//
	// A file that is open holds no connection, and lost ones are no loss to it: it
	// is fetched piece by piece, with growing read-ahead of at most 64 MiB for all
	// files. Each piece is handed out after size and time were found to be as they
	// were when it was opened; else the error is [ErrSourceChanged]. A change that
	// shows in neither is not seen. A file may be read while others are written;
	// as the source of a Put it takes a second connection, so more such Puts at
	// once than MaxConns can hold would wait for one another: use another client.
	FS(ctx context.Context) fs.FS
}

type client struct {
	cfg        Config
	hooks      *Hooks
	hosts      []Standby // the first is Config.Host
	sess       *session.Session
	stats      counters
	env        transfer.Env
	numbered   bool          // the hooks are told of operations
	operations atomic.Uint64 // so many were begun, if numbered
	active     upload.Writers
	doubts     doubts
	streams    streams
	creds      *credentials
	learned    transport.Learned // of all hosts
	fsMemory   remotefs.Memory   // of what FS reads ahead
}

// Open connects to the server that a URL names; see [ParseURL] for its form.
// It logs in once, so that a wrong password, an unknown host key or a wrong
// port shows at once, and keeps that connection for the first operation.
func Open(ctx context.Context, url string, opts *Options) (Client, error) {
	cfg, err := ParseURL(url, opts)
	if err != nil {
		return nil, &Error{Op: "open", Outcome: NotDone, Err: asInvalid(err)}
	}
	return New(ctx, cfg)
}

// New is [Open] for a [Config].
func New(ctx context.Context, cfg Config) (Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, &Error{Op: "open", Outcome: NotDone, Err: asInvalid(err)}
	}
	c := &client{cfg: cfg, hooks: cfg.Hooks, numbered: cfg.Hooks.numbered()}
	c.streams.init()
	_ = c.learned.Load(cfg.Learned) // withDefaults has tried it
	c.creds = newCredentials(cfg.Credentials)
	c.sess = c.newSession()
	c.env = c.newEnv()
	err = c.preload(ctx)
	if err == nil {
		err = c.ping(ctx, "open")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (*client) sealed() {}

func (c *client) Close() error {
	defer c.sess.Close()
	defer c.streams.close()
	return c.lastLook()
}

func (c *client) Learned() ([]byte, error) { return c.learned.Save() }

func (c *client) Ping(ctx context.Context) error { return c.ping(ctx, "ping") }

func (c *client) ping(ctx context.Context, op string) error {
	return c.run(ctx, task{Op: op}, func(ctx context.Context, l *lease) error {
		if l.Fresh {
			return nil // logging in just now was a round trip, and more
		}
		return l.Ping(ctx)
	})
}

// asInvalid gives an error of the caller's arguments its kind.
func asInvalid(err error) error {
	return &transport.Error{Kind: transport.KindInvalid, Err: err}
}
