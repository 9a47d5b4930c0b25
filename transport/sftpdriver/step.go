package sftpdriver

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A step is one request of a batch.
type step struct {
	*run
	i   int // its place
	req transport.Request

	// What prepare finds out.
	name   string   // of the packet under way, without SSH_FXP_, for errors and the trace
	paths  []string // what it is about; the first stands in errors
	acts   bool     // it changes something on the server
	rounds bool     // it takes more than one round trip
	bad    error    // why it is not sent

	reply       *reply // to its first packet
	burst       *burst // with which that has left
	serial      bool   // it goes through the library
	speculative bool   // it has left before a condition that has been asked since

	opening
	get     *download // a Retrieve whose first reads have left
	told    *told     // see described
	guessed bool      // see guess.go
	stat    int       // the step that tells whether the guess was right
	closing bool      // a Store whose last packets are leaving
	seq     uint64    // the number that the trace knows the request under way by, 0 for none
}

// opening is what became of a step's SSH_FXP_OPEN.
type opening struct {
	handle  string
	refused error // where it was not waited for in the step's turn
	kept    bool  // it does not empty the file, see keep.go
}

// prepare looks at a request before it is sent.
func (s *step) prepare() {
	s.name, s.paths, s.acts, s.rounds, s.bad = "", nil, true, false, nil
	switch q := s.req.(type) {
	case *transport.Stat:
		s.reads("STAT", q.Path)
		if q.NoFollow {
			s.name = "LSTAT"
		}
	case *transport.List:
		s.reads("OPENDIR", q.Path)
		s.rounds = true
	case *transport.Store:
		s.is("OPEN", q.Path)
		s.rounds = true
		s.notNegative("offset", q.Offset)
		s.notText(q.ASCII)
	case *transport.Retrieve:
		s.reads("OPEN", q.Path)
		s.rounds = true
		s.notNegative("offset", q.Offset)
		s.notText(q.ASCII)
	case *transport.Rename:
		switch {
		case path.Clean(q.From) == path.Clean(q.To):
			// OpenSSH on Windows deletes a file that is renamed to itself.
			s.reads("STAT", q.From)
		case s.posix(q):
			s.is("EXTENDED posix-rename@openssh.com", q.From, q.To)
		default:
			s.is("RENAME", q.From, q.To)
		}
	case *transport.Remove:
		s.is("REMOVE", q.Path)
	case *transport.Mkdir:
		s.is("MKDIR", q.Path)
	case *transport.Rmdir:
		s.is("RMDIR", q.Path)
	case *transport.SetTime:
		s.is("SETSTAT", q.Path)
		if _, ok := seconds(q.Time); !ok {
			s.refuse(transport.KindUnsupported, fmt.Errorf("SFTP version 3 cannot express the time %v", q.Time.UTC()))
		}
	case *transport.SetMode:
		s.is("SETSTAT", q.Path)
	case *transport.Truncate:
		s.is("SETSTAT", q.Path)
		s.notNegative("size", q.Size)
	case *transport.Hash:
		s.prepareHash(q)
	case *transport.Link:
		if q.Make {
			s.is("SYMLINK", q.Path)
			if err := transport.CheckPath(q.Target); err != nil {
				s.refuse(transport.KindInvalid, err)
			}
		} else {
			s.reads("READLINK", q.Path)
		}
	case *transport.Space:
		s.reads("EXTENDED "+statvfs, q.Path)
		if v, ok := s.c.lib.extension(statvfs); !ok || v != "2" {
			s.refuse(transport.KindUnsupported, errors.New("the server does not offer "+statvfs))
		}
	case *transport.Ping:
		s.reads("REALPATH", ".")
	default:
		s.name = "EXTENDED"
		s.refuse(transport.KindUnsupported, errors.New("SFTP has no command lines"))
	}
}

const (
	statvfs     = "statvfs@openssh.com"
	posixRename = "posix-rename@openssh.com"
)

// posix reports whether a rename is one of [posixRename].
func (s *step) posix(q *transport.Rename) bool { return q.Replace && s.c.posixRename.Load() }

func (s *step) is(name string, paths ...string) {
	s.name, s.paths = name, paths
	for _, p := range paths {
		if err := transport.CheckPath(p); err != nil {
			s.refuse(transport.KindInvalid, err)
		}
	}
}

func (s *step) reads(name string, paths ...string) {
	s.acts = false
	s.is(name, paths...)
}

// refuse says why the request is not sent; the first reason counts.
func (s *step) refuse(kind transport.Kind, why error) {
	if s.bad == nil {
		s.bad = s.error(kind, 0, why)
	}
}

func (s *step) notNegative(what string, n int64) {
	if n < 0 {
		s.refuse(transport.KindInvalid, fmt.Errorf("%s %d is negative", what, n))
	}
}

func (s *step) notText(ascii bool) {
	if ascii {
		s.refuse(transport.KindUnsupported, errors.New("SFTP has no type for text"))
	}
}

// path is what errors are about.
func (s *step) path() string {
	if len(s.paths) == 0 {
		return ""
	}
	return s.paths[0]
}

// opens reports whether the answer to the step's first packet is a handle.
func (s *step) opens() bool { return s.name == "OPEN" || s.name == "OPENDIR" }

// changed reports whether what the step is about is no longer what has been asked for.
func (s *step) changed() bool {
	now := step{run: s.run, req: s.req}
	now.prepare()
	store, ok := s.req.(*transport.Store)
	return now.bad != nil || !slices.Equal(now.paths, s.paths) || ok && store.Offset != 0
}

// finish waits for the answer to a step, and does what it takes more round trips to.
func (s *step) finish() error {
	if s.serial {
		return s.renamed(s.c.lib.do(s.c, s.req, s.name == "EXTENDED "+posixRename))
	}
	switch q := s.req.(type) {
	case *transport.Stat:
		return s.described(q)
	case *transport.List:
		return s.list(q)
	case *transport.Store:
		return s.store(q)
	case *transport.Retrieve:
		return s.retrieve(q)
	case *transport.Hash:
		return s.hash(q)
	case *transport.Link:
		if !q.Make {
			return s.reply.parse(fxpName, func(r *reader) { r.uint32(); q.Target = r.string() })
		}
	case *transport.Space:
		return s.reply.parse(fxpExtendedReply, func(r *reader) { q.Free, q.Total = r.space() })
	case *transport.Ping:
		return s.reply.parse(fxpName, func(*reader) {})
	}
	if s.name == "STAT" { // of what is renamed to itself
		_, err := s.attrs()
		return err
	}
	return s.renamed(s.reply.parse(fxpStatus, nil))
}

// attrs takes the answer to SSH_FXP_STAT, which is a round trip of the line.
func (s *step) attrs() (a attrs, err error) {
	err = s.reply.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	if !s.reply.at.IsZero() {
		s.c.tripped(s.reply.at.Sub(s.burst.sent))
	}
	return a, err
}
