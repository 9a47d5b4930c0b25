package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	// A line that a crash has cut would run into the next one.
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, end-1); err == nil && last[0] != '\n' {
			if _, err := f.Write([]byte("\n")); err != nil {
				f.Close()
				return nil, fmt.Errorf("the journal: %w", err)
			}
		}
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
	_, err := j.f.Write(lines)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	return nil
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
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 2*MaxJob)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		job, err := Decode(lines.Bytes())
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
	if err := lines.Err(); err != nil {
		return sum, fmt.Errorf("the journal: %w", err)
	}
	return sum, nil
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
