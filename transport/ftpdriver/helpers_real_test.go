//go:build linux && realserver

package ftpdriver

import (
	"io/fs"
	"os"
	"syscall"
)

func chownLike(name string, fi fs.FileInfo) error {
	st := fi.Sys().(*syscall.Stat_t)
	return os.Chown(name, int(st.Uid), int(st.Gid))
}
