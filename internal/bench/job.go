//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// A job is one direction of one scenario with one protocol at one place: what
// every peer is given to do.
type job struct {
	scenario
	place *place
	rig   *rig
	up    bool
	name  string // of the file or folder, made by files
	names []string
	// connections is what the command is told of them, 0 for nothing.
	connections int
}

// proto is the protocol in use.
func (j *job) proto() ftpx.Protocol { return j.place.Proto.Protocol }

// arrival is where what is moved arrives, below the root or the client's folder.
const arrival = "in"

// local is the client's file or folder.
func (j *job) local() string {
	if j.up {
		return filepath.Join(j.rig.local, j.name)
	}
	return filepath.Join(j.rig.local, arrival, j.name)
}

// remote is the server's, relative to the login folder.
func (j *job) remote() string {
	if j.up {
		return path.Join(arrival, j.name)
	}
	return j.name
}

// onServer is remote on the server's disk, which for OpenSSH is also an absolute
// path of the protocol.
func (j *job) onServer() string { return filepath.Join(j.rig.root, j.remote()) }

// prepare makes what is moved, once.
func (j *job) prepare() (err error) {
	switch j.what {
	case oneFile:
		j.name, err = j.rig.files.one(j.size)
	case manyFiles:
		j.name, err = j.rig.files.many(j.count, j.size)
		for i := range j.count {
			j.names = append(j.names, smallName(i))
		}
	default:
		j.name, err = j.rig.files.empty(j.count)
	}
	return err
}

// clean empties the places of arrival. The folder for many files is made: not
// every tool makes one.
func (j *job) clean() error {
	for _, dir := range []string{j.rig.local, j.rig.root} {
		in := filepath.Join(dir, arrival)
		if err := os.RemoveAll(in); err != nil {
			return err
		}
		made := []string{in}
		if j.what == manyFiles {
			made = append(made, filepath.Join(in, j.name))
		}
		for _, d := range made {
			if err := os.Mkdir(d, 0o755); err != nil {
				return err
			}
			if err := j.rig.give(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// touch fills as much memory as what arrives will take, and frees it. Machines that are
// guests give freed memory back to their host, and whoever fills it first waits for that:
// a copy of 1 GiB took 0.4 s or 2.4.
func (j *job) touch() error {
	name := filepath.Join(j.rig.root, arrival, "touched")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	defer f.Close()
	zeros := make([]byte, mib)
	for at := int64(0); at < j.size; at += mib {
		if _, err := f.WriteAt(zeros, at); err != nil {
			return err
		}
	}
	return nil
}

// verify compares what has arrived with its original.
func (j *job) verify() error {
	if j.what == listing {
		return nil
	}
	if j.up {
		return same(j.local(), j.onServer(), j.what == manyFiles)
	}
	return same(j.onServer(), j.local(), j.what == manyFiles)
}

// bytes is the payload.
func (j *job) bytes() int64 {
	switch j.what {
	case manyFiles:
		return j.size * int64(j.count)
	case listing:
		return 0
	}
	return j.size
}

// goPeer returns the command run as one of its own Go peers.
func (j *job) goPeer(peer string, inFlight int) ([]program, error) {
	t := task{
		Peer: peer, Endpoint: j.place.endpoint, What: j.what, Up: j.up, Local: j.local(), Remote: j.remote(), Size: j.size,
		InFlight: inFlight, Retry: j.resets, Collector: j.rig.collector,
	}
	if j.what == manyFiles {
		t.Conns = j.conns
	}
	if peer == "raw" {
		t.Endpoint = j.place.raw
	}
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return []program{{Argv: []string{self}, Stdin: string(text), Env: []string{modeVariable + "=" + modeChild}}}, nil
}

// shares deals the names of many files out to n programs.
func (j *job) shares(n int) [][]string {
	return slices.Collect(slices.Chunk(j.names, (len(j.names)+n-1)/n))
}
