package testserver

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/pkg/sftp"
)

// sftpFs answers pkg/sftp's requests from a tree, with the results that
// OpenSSH's sftp-server gives. The library cleans paths and makes them absolute.
type sftpFs struct {
	tree    *tree
	hidden  map[string]bool
	objects *objects // nil where files are written in place
}

var (
	_ sftp.FileReader           = (*sftpFs)(nil)
	_ sftp.OpenFileWriter       = (*sftpFs)(nil)
	_ sftp.PosixRenameFileCmder = (*sftpFs)(nil)
	_ sftp.LstatFileLister      = (*sftpFs)(nil)
	_ sftp.ReadlinkFileLister   = (*sftpFs)(nil)
)

// Fileread is part of sftp.FileReader.
func (f *sftpFs) Fileread(r *sftp.Request) (io.ReaderAt, error) { return f.OpenFile(r) }

// Filewrite is part of sftp.FileWriter.
func (f *sftpFs) Filewrite(r *sftp.Request) (io.WriterAt, error) { return f.OpenFile(r) }

// OpenFile is part of sftp.OpenFileWriter. The mode in the request is not
// visible here, so files are made 0666 less the umask, sftp-server's default.
func (f *sftpFs) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	flag := openFlag(r.Pflags())
	if f.objects != nil && r.Pflags().Write {
		flag &^= os.O_EXCL // which it does not know
	}
	file, err := f.tree.open(r.Filepath, flag, 0o666)
	if err != nil {
		return nil, status(err)
	}
	if f.objects != nil && r.Pflags().Write {
		return f.objects.add(file, r.Filepath), nil
	}
	return handle{file}, nil
}

// openFlag is sftp-server's flags_from_portable.
func openFlag(flags sftp.FileOpenFlags) int {
	var flag int
	switch {
	case flags.Read && flags.Write:
		flag = os.O_RDWR
	case flags.Write:
		flag = os.O_WRONLY
	}
	if flags.Append {
		flag |= os.O_APPEND
	}
	if flags.Creat {
		flag |= os.O_CREATE
	}
	if flags.Trunc {
		flag |= os.O_TRUNC
	}
	if flags.Excl {
		flag |= os.O_EXCL
	}
	return flag
}

// handle gives a file's errors their SFTP codes.
type handle struct{ file *file }

// ReadAt is part of io.ReaderAt.
func (h handle) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.file.ReadAt(p, off)
	return n, status(err)
}

// WriteAt is part of io.WriterAt.
func (h handle) WriteAt(p []byte, off int64) (int, error) {
	n, err := h.file.WriteAt(p, off)
	return n, status(err)
}

// Close is part of io.Closer.
func (h handle) Close() error { return status(h.file.Close()) }

// status is sftp-server's errno_to_portable: what is not listed is a failure,
// among it EEXIST, ENOTEMPTY and ENOSPC. Texts are left out as sshd leaves them out.
func status(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENAMETOOLONG):
		return sftp.ErrSSHFxBadMessage
	case errors.Is(err, errors.ErrUnsupported):
		return sftp.ErrSSHFxOpUnsupported
	default:
		return sftp.ErrSSHFxFailure
	}
}
