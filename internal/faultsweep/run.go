package faultsweep

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// fileName is what every file is called.
const fileName = "file.bin"

// trail notes what goes over the line.
type trail struct {
	mu      sync.Mutex // guards what follows
	lines   []string
	renamed bool
}

func (t *trail) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

func (t *trail) hooks() *ftpx.Hooks {
	return &ftpx.Hooks{
		Command: func(_ context.Context, i ftpx.CommandInfo) {
			t.note("%s", i.Line)
			if strings.HasPrefix(i.Line, "RNTO") || strings.Contains(i.Line, "RENAME") || strings.Contains(i.Line, "rename") {
				t.mu.Lock()
				t.renamed = true
				t.mu.Unlock()
			}
		},
		Reply: func(_ context.Context, i ftpx.ReplyInfo) { t.note("-> %d %.60q", i.Code, i.Text) },
		Retry: func(_ context.Context, i ftpx.RetryInfo) { t.note("!! %v (%v)", i.Err, i.Class) },
	}
}

func (t *trail) end() ([]string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines, t.renamed
}

// call makes the transfer of a case. sink is for Get.
func call(ctx context.Context, c ftpx.Client, t Transfer, remote, local, source string, want []byte, sink io.Writer, o options) (ftpx.Result, error) {
	switch t {
	case Upload:
		return c.Upload(ctx, source, remote, &ftpx.UploadOptions{Verify: o.verify, NoReplace: o.noReplace, CreateDirs: o.createDirs})
	case Put:
		// Neither io.Seeker nor io.ReaderAt: a stream that is gone once read.
		stream := struct{ io.Reader }{bytes.NewReader(want)}
		return c.Put(ctx, remote, stream, &ftpx.PutOptions{ModTime: mtime, Verify: o.verify, NoReplace: o.noReplace, CreateDirs: o.createDirs})
	case Download:
		return c.Download(ctx, remote, local, &ftpx.DownloadOptions{Verify: o.verify, NoReplace: o.noReplace})
	default:
		return c.Get(ctx, remote, sink, nil)
	}
}

// options are those of a transfer that a sweep varies.
type options struct {
	verify     ftpx.Verify
	noReplace  bool
	createDirs bool
}

// run carries out one case on a rig and returns, besides its end, how many
// operations were counted.
func (s *embedded) run(ctx context.Context, r *rig, c Case) (end End, ops int64, err error) {
	end.Case = c
	dir, err := r.folder()
	if err != nil {
		return end, 0, err
	}
	remote, local := dir+"/"+fileName, filepath.Join(r.local, dir, fileName)
	onServer := filepath.Join(r.root, dir, fileName)
	final := local
	if c.Transfer.sends() {
		final = onServer
	} else if err := put(onServer, s.want); err != nil {
		return end, 0, err
	}
	var old []byte
	if c.Existing && c.Transfer != Get {
		old = s.old
		if err := put(final, old); err != nil {
			return end, 0, err
		}
	}

	tr := &trail{}
	client, err := r.open(ctx, c.Protocol, tr.hooks())
	if err != nil {
		return end, 0, fmt.Errorf("open, with nothing broken: %w", err)
	}
	shots := make([]*faultproxy.Shot, len(c.Faults))
	for i, b := range c.Faults {
		shots[i] = r.proxy.Arm(faultproxy.Target{Op: b.Op, Opens: true}, s.opts.Faults[b.Name])
	}
	count := r.proxy.Arm(faultproxy.Target{Op: -1, Opens: true}, faultproxy.Fault{})
	begin := time.Now()
	var sink bytes.Buffer
	end.Result, end.Err = call(ctx, client, c.Transfer, remote, local, s.source, s.want, &sink, options{})
	end.Took = time.Since(begin)
	ops = count.Seen()
	count.Disarm()
	for _, shot := range shots {
		shot.Disarm()
		end.Hit = end.Hit || shot.Fired()
	}
	if ctx.Err() != nil {
		_ = client.Close()
		return end, ops, context.Cause(ctx)
	}

	e := Evidence{Transfer: c.Transfer, Want: s.want, Old: old, Name: fileName, Result: end.Result, Err: end.Err}
	lines, renamed := tr.end()
	e.Renamed, e.Survivable = renamed, s.survivable(c, end.Err)
	e.Corrupted = c.Protocol == ftpx.FTP && c.Transfer == Get && s.garbles(c)
	e.Leftover = func(name string) bool { return s.cutCommand(c) && strings.HasPrefix(partialStart, name) }
	if c.Transfer == Get {
		e.Got = sink.Bytes()
	} else if e.Got, err = take(final); err != nil {
		return end, ops, err
	}
	if e.Names, err = names(filepath.Dir(final)); err != nil {
		return end, ops, err
	}
	end.Problems = Judge(e)
	if err := client.Close(); err != nil {
		end.Problems = append(end.Problems, fmt.Sprintf("close: %v", err))
	}
	end.Problems = append(end.Problems, r.quiesce()...)
	end.Problems = append(end.Problems, s.again(ctx, r, c, e, remote, local, final)...)
	if len(end.Problems) > 0 {
		end.Trail = lines
	}
	return end, ops, r.remove(dir)
}

// partialStart is how the name of a partial of fileName begins, whatever the source.
const partialStart = "." + fileName + ".ftpx-"

// cutCommand reports whether half a command may have reached a server in clear:
// ftpserverlib carries out a line that ends with the connection.
func (s *embedded) cutCommand(c Case) bool {
	for _, b := range c.Faults {
		if f := s.opts.Faults[b.Name]; f.Part > 0 && c.Protocol == ftpx.FTP {
			return true
		}
	}
	return false
}

// survivable reports whether a case may not end in failure: with the default
// budget no one fault and no two are enough, but for garbage on a control
// connection in clear, in which a server reads a bad command, or half a command,
// such as RNTO to half the name.
func (s *embedded) survivable(c Case, err error) bool {
	return !(c.Protocol == ftpx.FTP && s.garbles(c) && Definite(err)) && !s.cutCommand(c)
}

func (s *embedded) garbles(c Case) bool {
	for _, b := range c.Faults {
		if s.opts.Faults[b.Name].Kind == faultproxy.Garbage {
			return true
		}
	}
	return false
}

// again repeats a transfer that did not succeed, with nothing broken: the second
// call must find its way.
func (s *embedded) again(ctx context.Context, r *rig, c Case, e Evidence, remote, local, final string) []string {
	if e.Err == nil {
		if c.Transfer == Get {
			return nil
		}
		// What a server had still before it must have changed nothing.
		if got, err := take(final); err != nil || !bytes.Equal(got, e.Got) {
			return []string{fmt.Sprintf("after the end the final name holds %s", describe(got, e.Want))}
		}
		return nil
	}
	client, err := r.open(ctx, c.Protocol, nil)
	if err != nil {
		return []string{fmt.Sprintf("open for the second call: %v", err)}
	}
	defer client.Close()
	var sink bytes.Buffer
	_, err = call(ctx, client, c.Transfer, remote, local, s.source, s.want, &sink, options{})
	got := sink.Bytes()
	if c.Transfer != Get {
		got, _ = os.ReadFile(final)
	}
	if err != nil || !bytes.Equal(got, s.want) {
		return []string{fmt.Sprintf("the second call, unbroken: %v, and the final name holds %s", err, describe(got, e.Want))}
	}
	return nil
}
