package ftpx

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sidecar is what is remembered of an unfinished download, in a file beside it.
type sidecar struct {
	// Remote, Size and ModTime tell which file it was. ModTime is zero where
	// the server did not say.
	Remote  string    `json:"remote"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
	// Durable is how many bytes had reached the disk. After a mere end of the
	// process, what was written later is good as well; after a power cut only
	// these are.
	Durable int64 `json:"durable"`
	// Boot tells one run of the operating system from another, "" if unknown.
	Boot string `json:"boot,omitempty"`
}

func partName(local string) string  { return local + ".part" }
func stateName(local string) string { return local + ".part.state" }

// readSidecar returns nil if there is none that can be used.
func readSidecar(local string) (*sidecar, error) {
	b, err := os.ReadFile(stateName(local))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &sidecar{}
	if json.Unmarshal(b, s) != nil || s.Size < 0 || s.Durable < 0 || s.Durable > s.Size {
		return nil, nil // cut off in the middle, or somebody else's
	}
	return s, nil
}

// write replaces the sidecar in one step.
func (s *sidecar) write(local string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	name := stateName(local)
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func removeSidecar(local string) { os.Remove(stateName(local)) }

// bootID tells one run of the operating system from another, "" where it does
// not say.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(b[:min(len(b), 36)])
}

// syncDir makes a rename in a folder durable. Platforms that cannot sync a
// folder do that by themselves.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
