package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// holder is what a lock file tells of the run that has it. It is for people: that the
// lock is held, the kernel says.
type holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Command []string  `json:"command"`
}

// HeldError says that another run of the job is under way.
type HeldError struct {
	// Path is the lock's file.
	Path   string
	holder holder
}

// Error says who it is, if the lock's file tells.
func (e *HeldError) Error() string {
	who := "another process, which has not said yet who it is"
	if h := e.holder; h.PID > 0 {
		who = fmt.Sprintf("process %d on %q since %s, started as %q", h.PID, h.Host, h.Since.Local().Format(time.RFC3339), h.Command)
	}
	return transport.Printable(fmt.Sprintf("another run of this job is active: the lock %s is held by %s", e.Path, who))
}

// errNoLocks: the system, or the file system, has no locks that end with their
// process.
var errNoLocks = errors.New("files cannot be locked here")

// lock is a lock on a file, held until it is closed or the process ends, however that
// ends. So there is none that has been left behind; the file itself stays, for
// removing it would let two runs lock two files of one name.
type lock struct{ f *os.File }

// lockDir is where locks are, unless told: in a place that is the same for cron, for a
// service and for a shell of one user.
func lockDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the lock: give -lock-dir or lock_dir, or set HOME: %w", err)
	}
	return filepath.Join(dir, "go-ftpx", "locks"), nil
}

// takeLock takes a lock, at once or not at all: [*HeldError] if another has it,
// errNoLocks where there are none.
func takeLock(path string) (*lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the lock: %w", err)
	}
	f, err := openLock(path)
	if err != nil {
		return nil, fmt.Errorf("the lock: %w", err)
	}
	held, err := lockFile(f)
	switch {
	case held:
		e := &HeldError{Path: path}
		data, _ := io.ReadAll(io.LimitReader(f, 1<<16))
		_ = json.Unmarshal(data, &e.holder) // what cannot be read is not known
		f.Close()
		return nil, e
	case err != nil:
		f.Close()
		return nil, err
	}
	l := &lock{f: f}
	host, _ := os.Hostname()
	data, err := json.Marshal(holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second), Command: os.Args})
	if err == nil {
		err = l.write(append(data, '\n'))
	}
	if err != nil {
		l.release()
		return nil, fmt.Errorf("the lock: %w", err)
	}
	return l, nil
}

func (l *lock) write(data []byte) error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt(data, 0)
	return err
}

// release gives the lock up. Its file is emptied first, so that nobody is told of a
// holder that has gone.
func (l *lock) release() {
	if l == nil {
		return
	}
	_ = l.f.Truncate(0)
	l.f.Close()
}
