package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

//go:embed fleetpage.html
var fleetPageText string

// shownDead is how many dead jobs the page lists.
const shownDead = 20

// fleetPage is what the page shows, as texts. The template escapes all of them; there is no
// script, the browser loads the page again.
type fleetPage struct {
	Worker, Engine, Now, Problems string
	Running, Held                 int
	Done, Dead, Again             int64
	Closed                        []closedRow
	Rows                          []jobsRow
	Names                         bool // dead jobs are listed: files are named
	Jobs                          []deadRow
	More                          bool
}

// closedRow is a target that is paused or down.
type closedRow struct{ Target, How, When, By, Why string }

// jobsRow are the jobs of a class of a target.
type jobsRow struct {
	Target                         string
	Class                          fleet.Class
	Queued, Running, Waiting, Dead int
	Oldest, Connections            string
}

// deadRow is a dead job.
type deadRow struct{ ID, What, Ended, Why string }

// page serves what the fleet and its worker are at.
func (s *fleetSite) page(out http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), askWithin)
	defer cancel()
	p := fleetPage{Worker: s.worker.Name(), Now: time.Now().UTC().Format("2006-01-02 15:04:05 UTC")}
	p.ofWorker(s.worker.Stats())
	status, err := s.fleet.Status(ctx)
	if err == nil {
		p.ofFleet(status, time.Now())
	} else {
		p.Problems = "The engine does not answer."
	}
	if err == nil && s.names {
		p.Names = true
		for r, err := range s.fleet.DeadJobs(ctx, "") {
			if err != nil {
				break // what has been read is shown
			}
			if p.More = len(p.Jobs) == shownDead; p.More {
				break
			}
			p.Jobs = append(p.Jobs, deadRow{r.Job.ID, transport.Printable(what(r)), r.Ended.UTC().Format(time.DateTime), transport.Printable(r.Reason)})
		}
	}
	var b bytes.Buffer
	if err := s.pages.Execute(&b, &p); err != nil {
		http.Error(out, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.Write(b.Bytes()) // who asked may be gone
}

func parseFleetPage() (*template.Template, error) {
	return template.New("fleet").Parse(fleetPageText)
}

func (p *fleetPage) ofWorker(s fleet.Stats) {
	p.Running, p.Held, p.Done, p.Dead, p.Again = s.Running, s.Held, s.Done, s.Dead, s.Again
}

func (p *fleetPage) ofFleet(s *fleet.Status, now time.Time) {
	p.Engine = fmt.Sprintf("NATS %s, %d replicas, %d bytes", s.Server, s.Replicas, s.Bytes)
	var closed []string
	dead := 0
	for _, name := range slices.Sorted(maps.Keys(s.Targets)) {
		t := s.Targets[name]
		if t.Pause != nil {
			closed = append(closed, name+" is paused.")
			p.Closed = append(p.Closed, closedRow{name, "paused", "since " + t.Pause.At.UTC().Format(time.DateTime) + " UTC", transport.Printable(t.Pause.By), transport.Printable(t.Pause.Reason)})
		}
		if t.Down != nil {
			closed = append(closed, name+" is down.")
			p.Closed = append(p.Closed, closedRow{name, "down", "and tried again in " + t.Down.Until.Sub(now).Round(time.Second).String(), "", transport.Printable(t.Down.Reason)})
		}
		for _, class := range []fleet.Class{fleet.Urgent, fleet.Normal, fleet.Bulk} {
			k := t.Classes[class]
			if *k == (fleet.ClassStatus{}) && class != fleet.Normal {
				continue
			}
			dead += k.Dead
			p.Rows = append(p.Rows, jobsRow{name, class, k.Queued, k.Running, k.Waiting, k.Dead, k.Oldest.Round(time.Second).String(), fmt.Sprintf("%d of %d", t.Held, t.Connections)})
		}
	}
	switch {
	case dead == 1:
		closed = append(closed, "1 job is dead.")
	case dead > 1:
		closed = append(closed, fmt.Sprintf("%d jobs are dead.", dead))
	}
	p.Problems = strings.Join(closed, " ")
}
