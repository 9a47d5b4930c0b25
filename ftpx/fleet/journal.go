package fleet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Journal is a file of jobs on the machine that submits: one JSON object a line, on disk
// before the job is submitted, so that a store which was lost can be filled again
// ([Fleet.Reconcile]). Its methods are safe for concurrent use.
type Journal struct {
	mu sync.Mutex // one writer at a time
	f  *os.File
}

// OpenJournal opens a journal to add to, and creates it if need be.
func OpenJournal(name string) (*Journal, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the journal: %w", err)
	}
	if d, err := os.Open(filepath.Dir(name)); err == nil { // the name is to be there after a crash, too
		_ = d.Sync()
		d.Close()
	}
	return &Journal{f: f}, nil
}

// Add writes jobs and returns when they are on disk. Their ids are filled in.
func (j *Journal) Add(jobs ...*Job) error {
	var lines []byte
	for _, job := range jobs {
		job.fill()
		if err := job.Check(); err != nil {
			return err
		}
		b, err := json.Marshal(job)
		if err != nil {
			return err
		}
		lines = append(append(lines, b...), '\n')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.isCut() {
		lines = append([]byte("\n"), lines...)
	}
	_, err := j.f.Write(lines)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	return nil
}

// isCut reports whether the last line has no end: a crash or a full disk has cut it, and it
// would run into the next one.
func (j *Journal) isCut() bool {
	end, err := j.f.Seek(0, io.SeekEnd)
	last := []byte{'\n'}
	if err == nil && end > 0 {
		_, err = j.f.ReadAt(last, end-1)
	}
	return err != nil || last[0] != '\n'
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }

// Reconciled says what [Fleet.Reconcile] has found.
type Reconciled struct {
	// Jobs is how many the journal has, each counted once.
	Jobs int `json:"jobs"`
	// Ended have ended, Known are still to be done.
	Ended int `json:"ended"`
	Known int `json:"known"` // see Ended
	// Lost were not known any more and were submitted again.
	Lost int `json:"lost"`
	// Damaged is how many lines could not be read. A crash cuts the last one, of a job that
	// was not submitted yet.
	Damaged int `json:"damaged"`
	// Errors are why jobs could not be submitted again, by id.
	Errors map[string]string `json:"errors,omitempty"`
}

// Reconcile submits again what a journal has and the engine has lost. It may be repeated, and
// run while workers work: what the engine knows is done once.
func (f *Fleet) Reconcile(ctx context.Context, name string) (Reconciled, error) {
	var sum Reconciled
	file, err := os.Open(name)
	if err != nil {
		return sum, fmt.Errorf("the journal: %w", err)
	}
	defer file.Close()
	seen := map[string]bool{}
	for line, err := range lines(file, 2*MaxJob) {
		if err != nil {
			return sum, fmt.Errorf("the journal: %w", err)
		}
		if len(line) == 0 {
			continue
		}
		job, err := Decode(line)
		switch {
		case err != nil:
			sum.Damaged++
			continue
		case seen[job.ID]:
			continue
		}
		seen[job.ID] = true
		sum.Jobs++
		if err := f.reconcile(ctx, job, &sum); err != nil {
			if !errors.Is(err, ErrJob) {
				return sum, err
			}
			if sum.Errors == nil {
				sum.Errors = map[string]string{}
			}
			sum.Errors[job.ID] = err.Error()
		}
	}
	return sum, nil
}

// lines are the lines of a file. Of one that is longer than most the beginning is given, so
// that what a crash has left of a disk's block hides none of the lines after it.
func lines(r io.Reader, most int) iter.Seq2[[]byte, error] {
	b := bufio.NewReaderSize(r, most)
	return func(yield func([]byte, error) bool) {
		for {
			line, err := b.ReadSlice('\n')
			line = bytes.TrimRight(line, "\r\n")
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				line = bytes.Clone(line) // what follows is read over it
				for errors.Is(err, bufio.ErrBufferFull) {
					_, err = b.ReadSlice('\n')
				}
			case errors.Is(err, io.EOF) && len(line) == 0:
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			if !yield(line, nil) || err != nil {
				return
			}
		}
	}
}

func (f *Fleet) reconcile(ctx context.Context, job Job, sum *Reconciled) error {
	r, err := f.record(ctx, job.ID)
	switch {
	case err != nil:
		return err
	case r == nil:
		if _, err := f.Submit(ctx, job); err != nil {
			return err
		}
		sum.Lost++
		return nil
	case r.State.Ended():
		sum.Ended++
		return nil
	}
	there, err := f.hasMessage(ctx, r)
	if err != nil {
		return err
	}
	if there {
		sum.Known++
		return nil
	}
	// The record has outlived its message. If that was on its way to another stage just now,
	// there are two: the second is dropped.
	sum.Lost++
	if r.State == Running || r.State == Waiting && r.Until.Before(time.Now()) {
		r.State = Queued
	}
	_, err = f.enqueue(ctx, r)
	return err
}

// hasMessage reports whether the message is there that a job which has not ended waits by.
func (f *Fleet) hasMessage(ctx context.Context, r *Record) (bool, error) {
	shard, st := f.jobsOf(r.Job.Target)
	var err error
	if r.State == Waiting {
		_, err = st.GetLastMsgForSubject(ctx, laterSubject(shard, r.Job.Class, r.Job.Target, r.Job.ID))
	} else {
		var m *jetstream.RawStreamMsg
		if m, err = st.GetMsg(ctx, max(r.Seq, 1)); err == nil && m.Subject != jobSubject(shard, r.Job.Class, r.Job.Target) {
			return false, nil // a store that begins anew gives numbers again
		}
	}
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, err
}
