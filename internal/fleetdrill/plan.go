//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// job is a job as it is submitted, and what is to come of it.
type job struct {
	ID     string `json:"id"`
	Op     string `json:"op"`
	Source string `json:"source,omitempty"`
	Target string `json:"target"`
	Dest   string `json:"dest"`
	Class  string `json:"class"`
	Group  string `json:"group"`
	Size   int64  `json:"size,omitempty"`

	twice bool
	dead  bool
	// files are what must be there when it is done, by full path, with their hashes. One
	// with none must not be there.
	files map[string]string
	bytes int64
}

func (j *job) line() []byte {
	b, _ := json.Marshal(j) // strings alone
	return append(b, '\n')
}

// planner makes jobs with their files.
type planner struct {
	rnd      *rand.Rand
	dir      string // of the roots out and in
	partners []*partner
	largest  int64
}

// make makes n jobs.
func (p *planner) make(n int) ([]*job, error) {
	var jobs []*job
	for i := range n {
		at := p.partners[i%len(p.partners)]
		j := &job{ID: fmt.Sprintf("job-%05d", i), Target: at.name, Class: []string{"urgent", "normal", "bulk"}[p.rnd.IntN(3)],
			Group: "drill", twice: p.rnd.IntN(10) == 0, files: map[string]string{}}
		var err error
		switch x := p.rnd.IntN(100); {
		case x < 60:
			err = p.upload(j, at)
		case x < 75:
			err = p.download(j, at)
		case x < 82:
			err = p.mirror(j, at)
		case x < 90:
			err = p.remove(j, at)
		case x < 97:
			err = p.copy(j, at, p.partners[(i+1)%len(p.partners)])
		default:
			j.Op, j.Source, j.Dest, j.dead = "upload", "out:missing/"+j.ID, j.ID, true
			j.files[filepath.Join(at.srv.Root, j.ID)] = ""
		}
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// size is between 4 KiB and the largest, small ones more often.
func (p *planner) size() int64 {
	return int64(math.Exp(math.Log(4<<10) + math.Pow(p.rnd.Float64(), 3)*math.Log(float64(p.largest)/(4<<10))))
}

// write makes a file of random content and returns its hash.
func (p *planner) write(name string, size int64) (string, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return "", err
	}
	b := make([]byte, size)
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(p.rnd.Uint32())
	}
	_, _ = rand.NewChaCha8(seed).Read(b)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), os.WriteFile(name, b, 0o644)
}

// atServer makes a file that a server has from the beginning.
func (p *planner) atServer(s *realserver.Server, name string, size int64) (string, error) {
	full := filepath.Join(s.Root, name)
	sum, err := p.write(full, size)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(s.Root)
	if err != nil {
		return "", err
	}
	return sum, chownLike(info, full, filepath.Dir(full))
}

func (p *planner) upload(j *job, at *partner) (err error) {
	j.bytes = p.size()
	j.Op, j.Source, j.Dest, j.Size = "upload", "out:"+j.ID, "in/"+j.ID, j.bytes
	j.files[filepath.Join(at.srv.Root, j.Dest)], err = p.write(filepath.Join(p.dir, "out", j.ID), j.bytes)
	return err
}

func (p *planner) download(j *job, at *partner) (err error) {
	j.bytes = p.size()
	j.Op, j.Source, j.Dest = "download", "have/"+j.ID, "in:"+j.ID
	j.files[filepath.Join(p.dir, "in", j.ID)], err = p.atServer(at.srv, j.Source, j.bytes)
	return err
}

func (p *planner) mirror(j *job, at *partner) (err error) {
	j.Op, j.Source, j.Dest = "mirror", "out:tree-"+j.ID, "trees/"+j.ID
	for i := range 3 + p.rnd.IntN(5) {
		name := fmt.Sprintf("sub%d/file%d", i%2, i)
		size := 4<<10 + p.rnd.Int64N(32<<10)
		j.bytes += size
		if j.files[filepath.Join(at.srv.Root, j.Dest, name)], err = p.write(filepath.Join(p.dir, "out", "tree-"+j.ID, name), size); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) remove(j *job, at *partner) error {
	j.Op, j.Dest = "delete", "old/"+j.ID
	_, err := p.atServer(at.srv, j.Dest, 4<<10)
	j.files[filepath.Join(at.srv.Root, j.Dest)] = ""
	return err
}

func (p *planner) copy(j *job, at, from *partner) (err error) {
	size := p.size()
	j.bytes = 2 * size // it goes over both lines
	j.Op, j.Source, j.Dest = "copy", from.name+":have/"+j.ID, "copied/"+j.ID
	j.files[filepath.Join(at.srv.Root, j.Dest)], err = p.atServer(from.srv, "have/"+j.ID, size)
	return err
}
