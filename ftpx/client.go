package ftpx

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/health"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/remotefs"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Client moves files to and from one server. It is safe for concurrent use.
// Calls share its connections; calls beyond [Limits].Conns wait.
//
// Every call obeys its context at once, also while it waits for a connection
// or for the next attempt. On failure it returns an [*Error]. If the line or the
// server fails, every call is retried by [Options].Retry. It checks what its lost
// attempt left behind before it acts again. The caller may therefore repeat a
// call too, unless its comment says otherwise.
//
// Remote paths use "/". Relative paths start from [Config].Base, which is ".". "" means
// Base as well if a folder is described, listed, walked or created.
//
// Methods may be added to Client, so only this package can implement it. In your fakes,
// embed a Client, nil or real, as [ftpxtest.Client] does; or accept an [Uploader],
// [Downloader] or [Files], to which no methods are added.
//
// [ftpxtest.Client]: https://pkg.go.dev/github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest#Client
type Client interface {
	Uploader
	Downloader
	Files

	// Open opens a file for reading. The file has the methods that packages io/fs and
	// net/http need: Read, ReadAt, Seek, Stat. It holds nothing open on the server; it
	// behaves as the files of [Files].FS. ctx bounds the call and the file.
	Open(ctx context.Context, remotePath string) (*File, error)
	// Create starts an upload of the bytes that are written to the [Writer]. It has the
	// options and errors of Put. The file does not appear under its name before Close has
	// returned nil. Close or Abort must be called. ctx bounds the call and the Writer.
	Create(ctx context.Context, remotePath string, opts *PutOptions) (*Writer, error)
	// Ping makes one round trip on a connection. It opens one if there is none.
	Ping(ctx context.Context) error
	// Stats returns counters; it asks nothing of the server.
	Stats() Stats
	// Health returns the state of each host in each protocol that was tried. Hosts are in
	// the order of the configuration. It asks nothing of the server.
	Health() []HostHealth
	// Begin reports to the hooks an operation that consists of several calls, such as a job
	// of package folder. Calls with the returned context are part of the operation. Call
	// the returned function once, when the operation has ended; OperationEnd.Conn and Host
	// are not needed. Begin fills in ID, Parent and Host of the info.
	Begin(ctx context.Context, i OperationInfo) (context.Context, func(OperationEnd))
	// Learned returns what this client has learned about its servers: commands that are
	// announced but refused, ports that cannot be reached. Give it to another client as
	// [Options].Learned, so that it need not learn it again. It holds addresses, but no
	// file names and no secrets: at most some 200 facts about 1,000 servers. The format
	// is versioned and opaque. Learned asks nothing of the server.
	Learned() ([]byte, error)
	// Close ends all connections at once. Calls in flight fail with
	// [ErrClosed]. It does not wait for the server, and may be called twice.
	//
	// There are two exceptions, of at most five seconds each. First, a Put in flight is
	// aborted, so that its partial can be removed, see [Uploader]. Second, Close checks
	// some uploaded files once more. If a session was lost in the middle of an upload, a
	// server that stores whole objects may replace the file with the bytes of that
	// session, seconds after Upload has checked the file and returned. Close checks such
	// files, unless the host has shown that it writes at offsets. Its error names each
	// file that has changed, as an [*Error] around [ErrReplaced]. A file that no longer
	// exists counts as taken by its receiver. Files that a [Rechecker] has checked are
	// not checked again.
	Close() error

	sealed()
}

// Uploader is the part of a [Client] that sends files.
type Uploader interface {
	// Upload sends a local file to remotePath. The bytes go to a partial file next
	// to it, whose name derives from the content. The file appears under its own
	// name only when it is complete and checked, and then replaces the old one. If
	// the server has a partial of the same source, from a failed attempt, another
	// run or another machine, its bytes are verified and kept.
	Upload(ctx context.Context, localPath, remotePath string, opts *UploadOptions) (Result, error)
	// Put sends the content of source. An io.ReaderAt or io.Seeker (*os.File,
	// *bytes.Reader, *strings.Reader, *io.SectionReader) is read from its
	// beginning, as often as needed. For any other reader, up to
	// PutOptions.Spool bytes are kept, so that they can be sent again. After
	// more bytes the call has one attempt left, and fails with
	// [ErrNotRewindable] if that attempt fails.
	//
	// Nobody can resume the partial of such a reader after the call has failed. The error
	// names the partial. The client removes it in the background if the server permits
	// that, and tries for at most half a minute; Close waits for it.
	Put(ctx context.Context, remotePath string, source io.Reader, opts *PutOptions) (Result, error)
}

// Downloader is the part of a [Client] that fetches files.
type Downloader interface {
	// Download fetches a file to localPath. The bytes go to localPath.part, next
	// to a small localPath.part.state. The file appears under its own name only
	// when it is complete and checked, and then replaces the old one. Download
	// resumes an existing part of the same remote file. If the part's name is too
	// long, or belongs to a file that is not a download, the part gets another
	// name; Error.Partial says which. A large file may be fetched over several
	// connections, within [Limits].Conns and only if no other call waits for one; the
	// part has gaps then.
	Download(ctx context.Context, remotePath, localPath string, opts *DownloadOptions) (Result, error)
	// Get writes a file to w, each byte once and in order, whatever happens on
	// the line. Written bytes cannot be taken back: if the call fails, or the file
	// changes on the server meanwhile, w holds only the beginning.
	Get(ctx context.Context, remotePath string, w io.Writer, opts *GetOptions) (Result, error)
}

// Files is the part of a [Client] that describes, lists and changes remote files and folders.
type Files interface {
	// Stat describes a file or folder, following links.
	Stat(ctx context.Context, remotePath string) (Entry, error)
	// List iterates over the entries of a folder in the server's order. The
	// listing is read whole before the first entry is yielded, so that a lost
	// connection cannot show an entry twice. An error comes last, without an entry.
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
	// RemoveAll deletes a file, or a folder and everything below it. A missing
	// path is not an error. Links are removed, not followed.
	RemoveAll(ctx context.Context, remotePath string) error
	// MkdirAll creates a folder and its parents. An existing folder is not an error.
	MkdirAll(ctx context.Context, remotePath string) error
	// Chtimes sets the modification time, to the second. errors.ErrUnsupported
	// where the server cannot.
	Chtimes(ctx context.Context, remotePath string, mtime time.Time) error
	// Chmod sets the permission bits, and setuid, setgid and sticky, of mode (SETSTAT, SITE
	// CHMOD). errors.ErrUnsupported where the server cannot. It may be repeated.
	Chmod(ctx context.Context, remotePath string, mode fs.FileMode) error
	// Symlink makes remotePath a symbolic link to target, which is sent unchanged. It
	// fails if remotePath exists. Only SFTP has links: errors.ErrUnsupported on FTP.
	Symlink(ctx context.Context, target, remotePath string) error
	// ReadLink returns the target of a symbolic link. The server chooses it, so it may
	// lead anywhere. errors.ErrUnsupported on FTP.
	ReadLink(ctx context.Context, remotePath string) (string, error)
	// Space returns the free space on the volume of a path (statvfs@openssh.com, AVBL).
	// errors.ErrUnsupported if the server does not tell.
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
	// Errors are *fs.PathError around an [*Error]. An invalid name (fs.ValidPath;
	// CR, LF or NUL in it) is fs.ErrInvalid. The server follows links, even if they
	// lead out of Base; a listing shows them as links. Entries are sorted. Entries
	// are omitted if their name is not valid UTF-8, contains "/" or a control
	// character, or is "." or "..", because no file could be opened by such a name;
	// List shows them. Info of an entry costs a round trip if the listing was not
	// exact, as on servers without MLSD.
	//
	// An open file holds no connection, so a lost connection does not affect it. It
	// is fetched segment by segment, with growing read-ahead of at most 64 MiB for
	// all files. Before a segment is handed out, size and time are compared with
	// those at opening; if they differ, the error is [ErrSourceChanged]. A change
	// that alters neither is not noticed. A file may be read while others are
	// written. As the source of a Put it takes a second connection, so more such
	// Puts at once than [Limits].Conns can hold would wait for one another: use another
	// client.
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
	book       *health.Book
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
	c.book = c.newBook()
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
	defer c.book.Close()
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
