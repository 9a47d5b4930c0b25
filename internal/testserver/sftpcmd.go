package testserver

import (
	"io"
	"os"
	"path"

	"github.com/pkg/sftp"
)

// Filecmd is part of sftp.FileCmder.
func (f *sftpFs) Filecmd(r *sftp.Request) error {
	var err error
	switch r.Method {
	case "Setstat":
		err = f.setstat(r)
	case "Rename":
		err = f.rename(r.Filepath, r.Target, false)
	case "Rmdir":
		err = f.tree.rmdir(r.Filepath)
	case "Mkdir":
		err = f.tree.mkdir(r.Filepath, 0o777)
	case "Remove":
		err = f.tree.remove(r.Filepath)
	case "Link":
		if f.hidden[extHardlink] {
			return sftp.ErrSSHFxOpUnsupported
		}
		err = f.tree.link(r.Filepath, r.Target)
	case "Symlink":
		// Filepath is the link's text, Target the link: see requestFromPacket.
		err = f.tree.symlink(r.Filepath, r.Target)
	default:
		return sftp.ErrSSHFxOpUnsupported
	}
	return status(err)
}

// PosixRename is part of sftp.PosixRenameFileCmder.
func (f *sftpFs) PosixRename(r *sftp.Request) error {
	if f.hidden[extPosixRename] {
		return sftp.ErrSSHFxOpUnsupported
	}
	return status(f.rename(r.Filepath, r.Target, true))
}

// setstat applies what the request names, in sftp-server's order, goes on after
// a failure as it does, and reports the last one.
func (f *sftpFs) setstat(r *sftp.Request) error {
	flags, attrs := r.AttrFlags(), r.Attributes()
	var last error
	try := func(wanted bool, apply func() error) {
		if wanted {
			if err := apply(); err != nil {
				last = err
			}
		}
	}
	try(flags.Size, func() error { return f.tree.truncate(r.Filepath, int64(attrs.Size)) })
	try(flags.Permissions, func() error {
		mode := attrs.FileMode() & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
		return f.tree.chmod(r.Filepath, mode)
	})
	try(flags.Acmodtime, func() error {
		return f.tree.chtimes(r.Filepath, attrs.AccessTime(), attrs.ModTime())
	})
	try(flags.UidGid, func() error { return f.tree.chown(r.Filepath, int(attrs.UID), int(attrs.GID)) })
	return last
}

// Filelist is part of sftp.FileLister.
func (f *sftpFs) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		entries, err := f.tree.list(r.Filepath)
		if err != nil {
			return nil, status(err)
		}
		// readdir(3) gives these two and os.File leaves them out; clients have to
		// cope with them.
		for _, dot := range []string{".", ".."} {
			dir := r.Filepath
			if dot == ".." {
				dir = path.Dir(dir)
			}
			if info, err := f.tree.stat(dir); err == nil {
				entries = append(entries, renamed{info, dot})
			}
		}
		return lister(entries), nil
	case "Stat":
		info, err := f.tree.stat(r.Filepath)
		if err != nil {
			return nil, status(err)
		}
		return lister{info}, nil
	default:
		return nil, sftp.ErrSSHFxOpUnsupported
	}
}

// Lstat is part of sftp.LstatFileLister.
func (f *sftpFs) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := f.tree.lstat(r.Filepath)
	if err != nil {
		return nil, status(err)
	}
	return lister{info}, nil
}

// Readlink is part of sftp.ReadlinkFileLister.
func (f *sftpFs) Readlink(p string) (string, error) {
	target, err := f.tree.readlink(p)
	return target, status(err)
}

// renamed is a file's information under another name.
type renamed struct {
	os.FileInfo

	name string
}

// Name is part of os.FileInfo.
func (r renamed) Name() string { return r.name }

// lister is a list of files that can be read in pieces.
type lister []os.FileInfo

// ListAt is part of sftp.ListerAt.
func (l lister) ListAt(out []os.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(out, l[offset:])
	if n < len(out) {
		return n, io.EOF
	}
	return n, nil
}
