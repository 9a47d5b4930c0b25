package faultsweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// MemoryOptions configures [Memory]. Connect is required.
type MemoryOptions struct {
	// Connect makes a client dial with the given function in place of the
	// drivers. Only ftpx itself can, in its tests.
	Connect func(*ftpx.Options, func(context.Context, *transport.Endpoint) (transport.Conn, error))
	// Protocol is the flavour, SFTP or FTPS.
	Protocol ftpx.Protocol
	// Stride is how many operations apart the broken ones are; 0 means 1.
	Stride int
	// Pairs, if positive, is how many pairs of faults are sampled for each
	// variant and transfer, in place of the single ones.
	Pairs int
	// Seed chooses pairs, and where strides begin.
	Seed uint64
}

// Memory sweeps the client over servers in memory. It is to be called in a
// bubble of testing/synctest, or takes its hours in real time. The error is about
// the sweep itself.
func Memory(ctx context.Context, opts MemoryOptions) (_ *Report, err error) {
	opts.Stride = max(opts.Stride, 1)
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m := &memory{opts: opts, dir: dir, report: newReport(), want: content(memorySize, 1), old: content(memorySize/3, 2),
		faults: memoryFaults(), rng: rand.New(rand.NewPCG(opts.Seed, 0))}
	if m.source, err = sourceFile(dir, m.want); err != nil {
		return nil, err
	}
	for _, v := range variants() {
		for _, t := range Transfers() {
			if v.protocol != opts.Protocol || v.sends && !t.sends() || t == Get && v.opts != (options{}) {
				continue
			}
			for _, existing := range []bool{false, true} {
				if existing && (t == Get || v.opts.noReplace || v.opts.createDirs) {
					continue
				}
				c := Case{Protocol: v.protocol, Transfer: t, Existing: existing, Variant: v.name}
				if opts.Pairs > 0 {
					err = m.pairs(ctx, v, c)
				} else {
					err = m.singles(ctx, v, c)
				}
				if err != nil {
					return nil, err
				}
			}
		}
	}
	m.report.end()
	return m.report, nil
}

// memory is one sweep.
type memory struct {
	opts      MemoryOptions
	dir       string // folder of local files
	report    *Report
	want, old []byte
	source    string
	faults    map[string]memconn.Fault
	rng       *rand.Rand
}

func (m *memory) singles(ctx context.Context, v variant, c Case) error {
	for _, name := range slices.Sorted(maps.Keys(m.faults)) {
		for op := m.rng.IntN(m.opts.Stride); ; op += m.opts.Stride {
			c.Faults = []Broken{{int64(op), name}}
			end, _, err := m.run(ctx, v, c)
			if err != nil {
				return fmt.Errorf("%v: %w", c, err)
			}
			m.report.add(end)
			if !end.Hit {
				break
			}
		}
	}
	return nil
}

func (m *memory) pairs(ctx context.Context, v variant, c Case) error {
	_, ops, err := m.run(ctx, v, c)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(m.faults))
	for range m.opts.Pairs {
		a := m.rng.IntN(ops)
		b := a + 1 + m.rng.IntN(ops)
		c.Faults = []Broken{{int64(a), names[m.rng.IntN(len(names))]}, {int64(b), names[m.rng.IntN(len(names))]}}
		end, _, err := m.run(ctx, v, c)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		m.report.add(end)
	}
	return nil
}

// run carries out one case and returns, besides its end, how many operations
// there were.
func (m *memory) run(ctx context.Context, v variant, c Case) (end End, ops int, err error) {
	end.Case = c
	server := memconn.New(v.server)
	disk := &memoryDisk{files: server.Files(), name: v.dir + "/" + fileName}
	local := filepath.Join(m.dir, "local", fileName)
	if err := errors.Join(os.RemoveAll(filepath.Dir(local)), os.Mkdir(filepath.Dir(local), 0o700)); err != nil {
		return end, 0, err
	}
	if !v.opts.createDirs {
		server.Files().MkdirAll(v.dir)
	}
	if !c.Transfer.sends() {
		server.Files().Write(disk.name, m.want, mtime)
	}
	if c.Existing {
		disk.old = m.old
		if c.Transfer.sends() {
			server.Files().Write(disk.name, m.old, mtime)
		} else if err := put(local, m.old); err != nil {
			return end, 0, err
		}
	}
	tr := &trail{}
	client, err := m.open(ctx, v, server)
	if err != nil {
		return end, 0, err
	}
	defer client.Close()
	j := m.inject(server, c, disk, tr)
	begin := time.Now()
	var sink bytes.Buffer
	end.Result, end.Err = call(ctx, client, c.Transfer, disk.name, local, m.source, m.want, &sink, v.opts)
	end.Took = time.Since(begin)
	server.Inject(nil)
	// A partial that no call can resume may still be being removed.
	saw := j.seen()
	end.Hit, ops = saw.hit, saw.n

	e := Evidence{Transfer: c.Transfer, Want: m.want, Name: fileName, Renamed: saw.renamed, Lied: saw.lied, Result: end.Result, Err: end.Err}
	e.Corrupted = m.has(c, memconn.Corrupt) && (!v.notices || c.Transfer == Get || m.refuses(c)) // the hash, for one
	e.Unseen = m.refuses(c) && !c.Transfer.sends() && !c.Protocol.IsFTP()
	// A refusal may be the last word, or hide what a lost reply has done; payload
	// that was changed unnoticed shows at a later look.
	unknown := end.outcome() == ftpx.Unknown
	e.Survivable = !(m.refuses(c) && (Definite(end.Err) || unknown)) && !(e.Corrupted && unknown && len(c.Faults) > 1)
	e.Leftover = func(name string) bool { return m.refuses(c) } // the server will not have it removed
	look := func() {
		switch {
		case c.Transfer == Get:
			e.Got = sink.Bytes()
		case c.Transfer.sends():
			e.Got, e.Names = disk.read(), disk.folder()
		default:
			if e.Got, err = take(local); err == nil {
				e.Names, err = names(filepath.Dir(local))
			}
		}
		if c.Existing {
			e.Old = m.old
		}
	}
	if look(); err != nil {
		return end, ops, err
	}
	end.Problems = append(saw.problems, Judge(e)...)
	// What an old session still writes must change nothing.
	time.Sleep(time.Until(server.Files().Pending()) + time.Second)
	if before := e.Got; end.Err == nil {
		if look(); !bytes.Equal(before, e.Got) && !e.Corrupted {
			end.Problems = append(end.Problems, "later, the final name holds "+describe(e.Got, e.Want))
		}
	} else {
		end.Problems = append(end.Problems, m.again(ctx, v, client, c, disk, local)...)
	}
	_ = client.Close()
	if open := server.Stats().Open; open > 0 {
		end.Problems = append(end.Problems, fmt.Sprintf("%d connections are open after the end", open))
	}
	if len(end.Problems) > 0 {
		end.Trail, _ = tr.end()
	}
	return end, ops, nil
}

func (m *memory) open(ctx context.Context, v variant, server *memconn.Server) (ftpx.Client, error) {
	opts := ftpx.Options{Protocols: []ftpx.Protocol{v.protocol}, Password: "password"}
	m.opts.Connect(&opts, server.Dial)
	return ftpx.New(ctx, ftpx.Config{Host: "memory", User: "user", Options: opts})
}

// again repeats a transfer that failed, with nothing broken.
func (m *memory) again(ctx context.Context, v variant, client ftpx.Client, c Case, disk *memoryDisk, local string) []string {
	time.Sleep(10 * time.Minute) // locks end
	opts := v.opts
	opts.noReplace = false // what is there may be ours
	var sink bytes.Buffer
	_, err := call(ctx, client, c.Transfer, disk.name, local, m.source, m.want, &sink, opts)
	got := sink.Bytes()
	switch {
	case c.Transfer.sends():
		got = disk.read()
	case c.Transfer == Download:
		got, _ = take(local)
	}
	if err != nil || !bytes.Equal(got, m.want) && !(m.has(c, memconn.Corrupt) && !v.notices) {
		return []string{fmt.Sprintf("the second call, unbroken: %v, and the final name holds %s", err, describe(got, m.want))}
	}
	return nil
}

func (m *memory) has(c Case, a memconn.Action) bool {
	return slices.ContainsFunc(c.Faults, func(b Broken) bool { return m.faults[b.Name].Do == a })
}

func (m *memory) refuses(c Case) bool { return m.has(c, memconn.Refuse) }

// injected is the injector of a case and what it saw.
type injected struct {
	mu sync.Mutex // guards the rest
	observed
}

// observed is what an injector saw.
type observed struct {
	n            int
	hit, renamed bool
	lied         bool
	problems     []string
}

// seen returns what the injector has seen until now.
func (j *injected) seen() observed {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.observed
	s.problems = slices.Clone(s.problems)
	return s
}

// inject arms the faults, numbered from now on, and keeps an eye on the disk.
func (m *memory) inject(server *memconn.Server, c Case, disk *memoryDisk, tr *trail) *injected {
	j := &injected{}
	server.Inject(func(op memconn.OpInfo) memconn.Fault {
		j.mu.Lock()
		defer j.mu.Unlock()
		n := j.n
		j.n++
		var f memconn.Fault
		for _, b := range c.Faults {
			if b.Op == int64(n) {
				f, j.hit = m.faults[b.Name], true
			}
		}
		rename := strings.Contains(op.Request, "RENAME") || op.Request == "RNTO"
		if rename && op.Step == memconn.StepRequest {
			j.renamed = true
		}
		if op.Step == memconn.StepReply && f.Do == memconn.Refuse && rename {
			j.lied = true
		}
		if op.Step != memconn.StepData || f.Do != memconn.Pass {
			tr.note("%d %v %s %s: %v", n, op.Step, op.Request, op.Path, f.Do)
		}
		if c.Transfer.sends() && op.Step != memconn.StepData && len(j.problems) == 0 && !m.has(c, memconn.Corrupt) {
			if p := disk.check(m.want); p != "" {
				j.problems = append(j.problems, fmt.Sprintf("before operation %d, %s", n, p))
			}
		}
		return f
	})
	return j
}

// memoryDisk looks at the destination of an upload.
type memoryDisk struct {
	files *memconn.Files
	name  string
	old   []byte
}

func (d *memoryDisk) read() []byte {
	b, ok := d.files.Read(d.name)
	if !ok {
		return nil
	}
	return b
}

// folder returns what lies beside the destination, and the destination.
func (d *memoryDisk) folder() (names []string) {
	dir := d.name[:strings.LastIndexByte(d.name, '/')+1]
	for _, p := range d.files.Paths() {
		if rest, ok := strings.CutPrefix(p, dir); ok && rest != "" {
			names = append(names, rest)
		}
	}
	return names
}

// check returns what must be at no moment: anything but the old or the new
// content under the final name, or the old one lost before the new one is there.
func (d *memoryDisk) check(want []byte) string {
	got := d.read()
	switch {
	case got != nil && (bytes.Equal(got, want) || d.old != nil && bytes.Equal(got, d.old)):
		return ""
	case got != nil:
		return "the final name holds " + describe(got, want)
	case d.old == nil:
		return ""
	}
	dir := d.name[:strings.LastIndexByte(d.name, '/')+1]
	for _, n := range backups(d.folder()) {
		if b, _ := d.files.Read(dir + n); bytes.Equal(b, d.old) || bytes.Equal(b, want) {
			return ""
		}
	}
	return "the old file is lost"
}
