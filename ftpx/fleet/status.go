package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Status is what a fleet is at.
type Status struct {
	// Server is the version of the engine, Cluster its cluster's name, or "".
	Server  string `json:"server"`
	Cluster string `json:"cluster,omitempty"` // see Server
	// Replicas is how many servers keep each job.
	Replicas int `json:"replicas"`
	// Bytes is what jobs, records and ledger take in the store.
	Bytes uint64 `json:"bytes"`
	// Unproven says what the engine does not tell its clients.
	Unproven []string `json:"unproven"`
	// Targets are those that workers have, by name.
	Targets map[string]*TargetStatus `json:"targets"`
	// Roots are the names of the roots that workers have.
	Roots []string `json:"roots"`
}

// TargetStatus is what a target is at.
type TargetStatus struct {
	// Connections is how many the target allows, Held how many workers hold.
	Connections int `json:"connections"`
	Held        int `json:"held"` // see Connections
	// Pause is why it is paused, nil if it is not.
	Pause *Pause `json:"pause,omitempty"`
	// Down is set while it cannot be reached.
	Down *Down `json:"down,omitempty"`
	// Classes are its jobs.
	Classes map[Class]*ClassStatus `json:"classes"`
}

// ClassStatus are the jobs of a class.
type ClassStatus struct {
	// Queued wait for a connection, Running are with a worker, Waiting are scheduled.
	Queued  int `json:"queued"`
	Running int `json:"running"` // see Queued
	Waiting int `json:"waiting"` // see Queued
	// Dead are in the dead-letter stream.
	Dead int `json:"dead"`
	// Redelivered are with a worker that was not the first.
	Redelivered int `json:"redelivered"`
	// Oldest is the age of the oldest that is queued or running, in nanoseconds.
	Oldest time.Duration `json:"oldest_ns"`
}

// Status asks the engine. It costs some requests for each target.
func (f *Fleet) Status(ctx context.Context) (*Status, error) {
	s := &Status{Server: f.nc.ConnectedServerVersion(), Cluster: f.nc.ConnectedClusterName(), Targets: map[string]*TargetStatus{}, Roots: []string{}}
	s.Unproven = []string{"whether the server syncs each write (sync_interval: always): no client is told; the embedded one does"}
	if err := f.statusOfState(ctx, s); err != nil {
		return nil, err
	}
	for shard, st := range f.jobs {
		info, err := st.Info(ctx, jetstream.WithSubjectFilter(">"))
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", jobStream(shard), err)
		}
		s.Replicas, s.Bytes = info.Config.Replicas, s.Bytes+info.State.Bytes
		for subject, n := range info.State.Subjects {
			if c := s.counted(subject); c != nil { // later.CLASS.TARGET.ID
				c.Waiting += int(n)
			}
		}
	}
	info, err := f.dead.Info(ctx, jetstream.WithSubjectFilter(">"))
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", deadStream, err)
	}
	for subject := range info.State.Subjects {
		if c := s.counted(subject); c != nil {
			c.Dead++
		}
	}
	for name, t := range s.Targets {
		if err := f.statusOfTarget(ctx, name, t); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Status) target(name string) *TargetStatus {
	t := s.Targets[name]
	if t == nil {
		t = &TargetStatus{Classes: map[Class]*ClassStatus{}}
		for _, c := range classes() {
			t.Classes[c] = &ClassStatus{}
		}
		s.Targets[name] = t
	}
	return t
}

func (s *Status) class(target string, c Class) *ClassStatus {
	t := s.target(target)
	if t.Classes[c] == nil {
		t.Classes[c] = &ClassStatus{}
	}
	return t.Classes[c]
}

// counted is what a subject of the form ftpx.WORD.CLASS.TARGET.ID counts in, nil for none.
// Whoever may publish may have made up its parts, and they are printed.
func (s *Status) counted(subject string) *ClassStatus {
	parts := strings.Split(subject, ".")
	if len(parts) != 5 || CheckName(parts[3]) != nil || !slices.Contains(classes(), Class(parts[2])) {
		return nil
	}
	return s.class(parts[3], Class(parts[2]))
}

// statusOfState reads what workers have written about targets.
func (f *Fleet) statusOfState(ctx context.Context, s *Status) error {
	w, err := f.state.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-w.Updates():
			if e == nil {
				return nil
			}
			kind, name, _ := strings.Cut(e.Key(), ".")
			if CheckName(name) != nil {
				continue
			}
			switch kind {
			case "target":
				_ = json.Unmarshal(e.Value(), s.target(name))
			case "root":
				s.Roots = append(s.Roots, name)
			case "pause":
				p := &Pause{}
				if json.Unmarshal(e.Value(), p) == nil {
					s.target(name).Pause = p
				}
			case "down":
				d := &Down{}
				if json.Unmarshal(e.Value(), d) == nil && time.Now().Before(d.Until) {
					s.target(name).Down = d
				}
			}
		}
	}
}

func (f *Fleet) statusOfTarget(ctx context.Context, name string, t *TargetStatus) error {
	if c, err := f.slots.Consumer(ctx, slotConsumerName(name)); err == nil {
		t.Held = c.CachedInfo().NumAckPending
	}
	shard, st := f.jobsOf(name)
	for _, class := range classes() {
		c, err := st.Consumer(ctx, jobConsumer(class, name))
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("target %s: %w", name, err)
		}
		info, to := c.CachedInfo(), t.Classes[class]
		to.Queued, to.Running, to.Redelivered = int(info.NumPending), info.NumAckPending, info.NumRedelivered
		if to.Queued+to.Running == 0 {
			continue
		}
		if m, err := st.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(jobSubject(shard, class, name))); err == nil {
			to.Oldest = time.Since(m.Time).Round(time.Millisecond)
		}
	}
	return nil
}

// Records calls fn with the record of each job of a group, "" for all, in no certain order.
// It reads all records that there are.
func (f *Fleet) Records(ctx context.Context, group string, fn func(*Record) error) error {
	for _, kv := range f.records {
		if err := recordsIn(ctx, kv, group, fn); err != nil {
			return err
		}
	}
	return nil
}

func recordsIn(ctx context.Context, kv jetstream.KeyValue, group string, fn func(*Record) error) error {
	w, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("bucket %s: %w", recordBucket, err)
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-w.Updates():
			if e == nil {
				return nil
			}
			r, err := readRecord(e)
			if err != nil {
				return err
			}
			if group != "" && r.Job.Group != group {
				continue
			}
			if err := fn(r); err != nil {
				return err
			}
		}
	}
}
