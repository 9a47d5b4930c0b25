package drill

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Options say what is rehearsed. The zero value is every scenario on embedded servers.
type Options struct {
	// Scenarios are those to run; nil means [Scenarios].
	Scenarios []Scenario
	// RTO is how long nothing may arrive, 0 means 15 s; RPO how many acknowledged bytes may
	// be missing afterwards.
	RTO time.Duration
	RPO int64 // see above
	// Config, if not nil, is a real configuration, of which Scratch is a folder that exists
	// on each host. Nothing outside it is touched.
	Config  *ftpx.Config
	Scratch string // see Config
	// Files is how many files are moved, 0 means 48, Size how large each is, 0 means 320 KiB.
	Files int
	Size  int64 // see Files
	// Limit bounds each scenario; 0 means 2 minutes.
	Limit time.Duration
}

// Defaults of [Options].
const (
	DefaultRTO   = 15 * time.Second
	DefaultFiles = 48
	DefaultSize  = 320 << 10
	DefaultLimit = 2 * time.Minute

	workers = 8
	// rate makes a drill last for some seconds on a fast line.
	rate = 5 << 20
	// again is the pause before a file that failed is sent anew, as a job's next run would.
	again = 100 * time.Millisecond
	// lookTime bounds the comparison at the end, and the removal.
	lookTime = time.Minute
)

func (o *Options) withDefaults() (Options, error) {
	out := Options{}
	if o != nil {
		out = *o
	}
	if out.Scenarios == nil {
		for _, s := range Scenarios() {
			if out.Config == nil || !s.Embedded {
				out.Scenarios = append(out.Scenarios, s)
			}
		}
	}
	set(&out.RTO, DefaultRTO)
	set(&out.Files, DefaultFiles)
	set(&out.Size, DefaultSize)
	set(&out.Limit, DefaultLimit)
	if out.RTO < 0 || out.RPO < 0 || out.Files < workers || out.Size < 1 || out.Limit < 0 {
		return out, fmt.Errorf("RTO %v, RPO %d, %d files of %d bytes, limit %v: use positive numbers, and at least %d files", out.RTO, out.RPO, out.Files, out.Size, out.Limit, workers)
	}
	if out.Config == nil {
		return out, nil
	}
	if out.Scratch == "" {
		return out, errors.New("a drill on real hosts needs a scratch folder (--scratch): name one that exists on each host")
	}
	if err := out.Config.Check(); err != nil {
		return out, err
	}
	for _, s := range out.Scenarios {
		switch {
		case s.Embedded:
			return out, fmt.Errorf("scenario %s is for embedded servers alone: leave it out", s.Name)
		case s.Standby && len(out.Config.Standbys) == 0:
			return out, fmt.Errorf("scenario %s needs a standby: name one (standby or [[job.standbys]] in the file), or leave the scenario out", s.Name)
		}
	}
	return out, nil
}

func set[T comparable](v *T, byDefault T) {
	var zero T
	if *v == zero {
		*v = byDefault
	}
}

// Run rehearses. Its error is about the arguments, the servers that could not be put up, or
// the end of ctx; what a scenario came to is in the report.
func Run(ctx context.Context, o *Options) (*Report, error) {
	opt, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	rep := &Report{Version: ReportVersion, Started: time.Now().UTC().Truncate(time.Second), RTO: opt.RTO.Seconds(), RPO: opt.RPO, Where: "embedded servers"}
	if opt.Config != nil {
		rep.Where = opt.Config.Host
	}
	for i := range opt.Scenarios {
		r, err := rehearse(ctx, &opt, &opt.Scenarios[i])
		if r != nil {
			rep.Scenarios = append(rep.Scenarios, *r)
		}
		if err != nil {
			return rep, err
		}
	}
	rep.Passed = rep.passed()
	return rep, nil
}

// rehearsal is one scenario under way.
type rehearsal struct {
	opt      *Options
	scenario *Scenario
	servers  *servers
	line     *line
	cfg      ftpx.Config
	primary  []string // addresses of the first host
	dir      string
	size     int64
	begin    time.Time
	struck   time.Duration // when the fault was made
	trusted  int64         // logins while the certificate had expired

	mu     sync.Mutex // guards what follows
	result Result
	acked  map[int]bool
	moved  chan struct{} // closed when a quarter of the files has arrived
}

func rehearse(ctx context.Context, opt *Options, s *Scenario) (*Result, error) {
	r := &rehearsal{opt: opt, scenario: s, size: opt.Size, dir: "drill", acked: map[int]bool{}, moved: make(chan struct{}), result: Result{Name: s.Name, What: s.What, Files: opt.Files}}
	if opt.Config != nil {
		r.cfg = *opt.Config
		r.cfg.Base = ""
		r.dir = path.Join(opt.Scratch, fmt.Sprintf("ftpx-drill-%08x", rand.Uint32()))
	} else {
		srv, cfg, err := start(s)
		if err != nil {
			return nil, err
		}
		defer srv.end()
		r.servers, r.cfg = srv, cfg
	}
	r.prepare()
	limit, cancel := context.WithTimeout(ctx, opt.Limit)
	defer cancel()
	err := r.run(limit)
	r.fails("", err)
	r.line.lift()
	after, done := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer done()
	r.compare(after)
	if ctx.Err() != nil {
		return &r.result, context.Cause(ctx)
	}
	r.result.judge(r)
	return &r.result, nil
}

// fails notes why the scenario could not be carried out; the first reason stands.
func (r *rehearsal) fails(doing string, err error) {
	if err != nil && r.result.Error == "" {
		r.result.Error = doing + said(err)
	}
}

// prepare puts the line between the client and its servers.
func (r *rehearsal) prepare() {
	protocols := r.cfg.Protocols
	if len(protocols) == 0 {
		protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit}
	}
	control := map[string]string{}
	add := func(host string, ports ftpx.Ports) {
		for _, p := range protocols {
			says := "421 Too many connections from your address."
			if p == ftpx.SFTP {
				says = "Exceeded MaxStartups"
			}
			control[addressOf(host, ports, p)] = says
		}
	}
	add(r.cfg.Host, r.cfg.Ports)
	for _, s := range r.cfg.Standbys {
		ports := s.Ports
		if ports == (ftpx.Ports{}) {
			ports = r.cfg.Ports
		}
		add(s.Host, ports)
	}
	r.primary = []string{r.cfg.Host}
	if slices.ContainsFunc(r.cfg.Standbys, func(s ftpx.Standby) bool { return s.Host == r.cfg.Host }) {
		r.primary = nil // told apart by their ports alone
		for _, p := range protocols {
			r.primary = append(r.primary, addressOf(r.cfg.Host, r.cfg.Ports, p))
		}
	}
	r.line = newLine(r.cfg.Dial, control)
}

// event notes what happened.
func (r *rehearsal) event(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Events = append(r.result.Events, Event{At: time.Since(r.begin).Seconds(), What: what})
}

// run moves the files and strikes.
func (r *rehearsal) run(ctx context.Context) error {
	cfg := r.cfg
	cfg.Dial = r.line.dial
	if cfg.Limits.Rate == 0 {
		cfg.Limits.Rate = rate
	}
	client, err := ftpx.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.MkdirAll(ctx, r.dir); err != nil {
		return err
	}
	r.begin = time.Now()
	if r.scenario.from != nil {
		r.scenario.from(ctx, r)
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				r.send(ctx, client, i)
			}
		})
	}
	wg.Go(func() {
		select {
		case <-r.moved:
			r.struck = time.Since(r.begin)
			r.scenario.strike(ctx, r)
		case <-ctx.Done():
		}
	})
	for i := range r.opt.Files {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	stats := client.Stats()
	r.result.Retries, r.result.Failovers = stats.Retries, stats.Failovers
	r.result.Resets, r.result.Refused = r.line.counts()
	return ctx.Err()
}

// send moves one file until it has arrived, as a job that is run again would.
func (r *rehearsal) send(ctx context.Context, client ftpx.Client, i int) {
	data := content(i, r.size)
	for ctx.Err() == nil {
		_, err := client.Put(ctx, r.name(i), bytes.NewReader(data), &ftpx.PutOptions{CreateDirs: true})
		r.mu.Lock()
		if err == nil {
			r.acked[i] = true
			r.result.Acks = append(r.result.Acks, Ack{At: time.Since(r.begin).Seconds(), Bytes: r.size})
			if len(r.acked) == max(r.opt.Files/4, 1) {
				close(r.moved)
			}
			r.mu.Unlock()
			return
		}
		r.result.Failed++
		r.result.LastFailure = said(err)
		r.mu.Unlock()
		pause(ctx, again)
	}
}

func (r *rehearsal) name(i int) string { return path.Join(r.dir, fmt.Sprintf("%03d.bin", i)) }

// content is what file i holds.
func content(i int, size int64) []byte {
	seed := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
	data := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(data)
	return data
}

// compare reads all files back from each host, which is well again, and removes them.
func (r *rehearsal) compare(ctx context.Context) {
	whole := map[int]bool{}
	for _, cfg := range r.hosts() {
		client, err := ftpx.New(ctx, cfg)
		if err != nil {
			r.fails("compare: ", err)
			continue
		}
		for i := range r.opt.Files {
			var got bytes.Buffer
			_, err := client.Get(ctx, r.name(i), &got, nil)
			switch {
			case err != nil && ftpx.KindOf(err) == transport.KindNotExist:
			case err != nil:
				r.fails("compare: ", err)
			case bytes.Equal(got.Bytes(), content(i, r.size)):
				whole[i] = true
			default:
				r.result.Wrong++
			}
		}
		if r.opt.Config != nil {
			if err := client.RemoveAll(ctx, r.dir); err != nil {
				r.result.Left = append(r.result.Left, fmt.Sprintf("%s on %s", r.dir, cfg.Host))
			}
		}
		_ = client.Close()
	}
	for i := range r.acked {
		if !whole[i] {
			r.result.Missing += r.size
		}
	}
}

// hosts are the configuration's, one by one, without the line's faults.
func (r *rehearsal) hosts() []ftpx.Config {
	first := r.cfg
	first.Standbys = nil
	out := []ftpx.Config{first}
	for _, s := range r.cfg.Standbys {
		c := first
		c.Host = s.Host
		if s.Ports != (ftpx.Ports{}) {
			c.Ports = s.Ports
		}
		if s.User != "" || s.Password != "" {
			c.User, c.Password = cmp.Or(s.User, c.User), s.Password
		}
		if s.SSH != nil {
			c.SSH = *s.SSH
		}
		if s.TLS != nil {
			c.TLS = *s.TLS
		}
		out = append(out, c)
	}
	return out
}
