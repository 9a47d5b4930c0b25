//go:build linux

package main

import (
	"os/exec"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// A rank says what a peer is measured for.
type rank int

const (
	us    rank = iota
	kin        // go-ftpx in another form
	rival      // what a user would pick instead
	bound      // what a program written for this one purpose can do
)

// A peer is one program in the comparison.
type peer struct {
	name string
	rank rank
	// tool is the program that must be installed, "" for Go peers.
	tool string
	// fits says whether the peer can do the job.
	fits func(j *job) bool
	// programs says what to start.
	programs func(j *job) ([]program, error)
}

// boundFlight is how many small files the program that is the bound has under way at
// once on each connection. Ours is not told.
const boundFlight = 32

func peers() []peer {
	sftpOnly := func(j *job) bool { return j.place.Proto.Protocol == ftpx.SFTP }
	ftpOnly := func(j *job) bool { return j.place.Proto.Protocol != ftpx.SFTP }
	tool := func(j *job) bool { return !j.resets }
	goPeer := func(name string, inFlight int) func(j *job) ([]program, error) {
		return func(j *job) ([]program, error) {
			if j.resets {
				return j.goPeer(name, 1)
			}
			return j.goPeer(name, inFlight)
		}
	}
	any := func(*job) bool { return true }
	all := []peer{
		{"go-ftpx", us, "ftpx", any, shipped},
		{libraryName, kin, "", any, goPeer("ours", 1)},
		{beforeName, kin, "", func(j *job) bool { return j.rig.before != "" }, before},
		{"jlaffaye/ftp", rival, "", ftpOnly, goPeer("ftp", 1)},
		{"pkg/sftp", rival, "", sftpOnly, goPeer("sftp", 1)},
		{"pkg/sftp, 32 files a connection", bound, "", func(j *job) bool { return sftpOnly(j) && j.what == manyFiles && !j.resets }, goPeer("sftp", boundFlight)},
		{"OpenSSH sftp", rival, "sftp", func(j *job) bool { return sftpOnly(j) && tool(j) }, openSSH},
		{"lftp", rival, "lftp", tool, lftp},
		{"lftp pget", rival, "lftp", func(j *job) bool { return tool(j) && j.what == oneFile && !j.up && j.line.RTT > 0 }, lftpParallel},
		{"curl", rival, "curl", tool, curl},
		{"rclone", rival, "rclone", tool, rclone},
		{"raw TCP", bound, "", func(j *job) bool { return j.what == oneFile && !j.resets }, goPeer("raw", 1)},
	}
	for _, w := range watchers {
		all = append(all, peer{w.name, kin, "", any, goPeer(w.task, 1)})
	}
	return all
}

// present reports whether the peer's program is installed.
func (p *peer) present() bool {
	if p.tool == "" || p.rank == us { // we are built by the bench
		return true
	}
	_, err := exec.LookPath(p.tool)
	return err == nil
}
