// Package demo shows transfers at work on embedded servers, behind a line that resets
// connections.
package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// resetRate is the share that the project exists for: one reset in eight. Every
// mebibyte that goes over a connection meets a reset with this probability, so
// that an SSH connection, which carries many files, is not spared.
const resetRate = 0.127

// Run shows it once and returns the exit code; files and resets are drawn from seed.
func Run(ctx context.Context, env cli.Env, seed uint64) int {
	return (&demo{env: env, seed: seed}).run(ctx)
}

// demo is one run.
type demo struct {
	env  cli.Env
	seed uint64
	dir  string
	// protocols are shown one after the other; nil means three of them.
	protocols []ftpx.Protocol
	// tamper is called before the files are compared. Tests use it to show that
	// the demo can fail.
	tamper func(root string)
}

// row is what happened over one protocol.
type row struct {
	proto                            ftpx.Protocol
	files, wrong, survived, resumes  int
	connections, resets, bytes, sent int64
	took                             time.Duration
}

func (d *demo) run(ctx context.Context) int {
	dir, err := os.MkdirTemp("", "ftpx-demo-*")
	if err != nil {
		return d.fail(ctx, err)
	}
	defer os.RemoveAll(dir)
	d.dir = dir
	d.say("A folder of files goes up over each protocol, through a proxy in which %.1f %% of the mebibytes meet a reset (seed %d).\n",
		100*resetRate, d.seed)
	if err := d.makeFiles(); err != nil {
		return d.fail(ctx, err)
	}
	if d.protocols == nil {
		d.protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP}
	}
	var rows []row
	for i, p := range d.protocols {
		r, err := d.over(ctx, p, d.seed+uint64(i))
		if err != nil {
			return d.fail(ctx, fmt.Errorf("%v: %w", p, err))
		}
		rows = append(rows, r)
	}
	return d.summary(rows)
}

// fail says why nothing, or the wrong thing, has been shown. Its servers are its
// own, so the codes for those of others would mislead.
func (d *demo) fail(ctx context.Context, err error) int {
	if ctx.Err() != nil {
		fmt.Fprintln(d.env.Stderr, "interrupted")
		return cli.ExitInterrupted
	}
	d.say("\nFAILED: %v\n", err)
	return cli.ExitSome
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.env.Stdout, format, args...) }

func (d *demo) source() string { return filepath.Join(d.dir, "files") }

// makeFiles writes what goes up: from nothing to 4 MiB, in folders, with names
// in several scripts.
func (d *demo) makeFiles() error {
	r := rand.New(rand.NewPCG(d.seed, 1))
	content := rand.NewChaCha8([32]byte{byte(d.seed)})
	names := []string{"report %d.csv", "übersicht-%d.txt", "帳票/%d.bin", "deep/er/отчёт %d.dat"}
	for i := range 40 {
		size := int(math.Exp(r.Float64() * math.Log(4<<20)))
		switch {
		case i == 0:
			size = 0
		case i%4 == 3:
			size = 2<<20 + r.IntN(2<<20)
		}
		data := make([]byte, size)
		_, _ = content.Read(data) // never fails
		name := filepath.Join(d.source(), filepath.FromSlash(fmt.Sprintf(names[i%len(names)], i)))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// plan gives each connection the mebibyte that will be its last. The receiver gets
// a moment to read what has arrived, as on any line slower than memory.
func plan(info faultproxy.ConnInfo) faultproxy.Fault {
	n := int64(math.Log(1-info.Rand.Float64()) / math.Log(1-resetRate))
	f := faultproxy.ResetAt(faultproxy.Both, n<<20+info.Rand.Int64N(1<<20)+4096)
	f.Grace = 2 * time.Millisecond
	return f
}

// over sends the folder over one protocol and compares what arrived.
func (d *demo) over(ctx context.Context, p ftpx.Protocol, seed uint64) (row, error) {
	r := row{proto: p}
	root := filepath.Join(d.dir, "server-"+p.String())
	if err := os.Mkdir(root, 0o755); err != nil {
		return r, err
	}
	proxy := faultproxy.New(faultproxy.Options{Seed: seed, Plan: plan})
	defer proxy.Close()
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: root, PassivePorts: proxy.PassivePorts(faultproxy.PassiveOptions{})})
	if err != nil {
		return r, err
	}
	defer trio.Close()
	sftp, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: trio.SFTP.Addr().String()})
	if err != nil {
		return r, err
	}
	ftp, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.Control, Target: trio.FTP.Addr().String()})
	if err != nil {
		return r, err
	}
	var survived, resumes atomic.Int64
	client, err := ftpx.New(ctx, ftpx.Config{Host: "127.0.0.1", User: trio.User, Options: ftpx.Options{
		Password: ftpx.Secret(trio.Password), Protocols: []ftpx.Protocol{p},
		AllowPlaintext: true, // on loopback, to show that it works there too
		Ports:          ftpx.Ports{SFTP: sftp.Port(), FTP: ftp.Port()},
		SSH:            transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
		TLS:            transport.TLS{Config: &tls.Config{RootCAs: trio.CA.Pool()}},
		Hooks: &ftpx.Hooks{
			Retry: func(_ context.Context, i ftpx.RetryInfo) {
				survived.Add(1)
				d.say("  %-4v %v, %s: retrying in %v\n", p, ftpx.KindOf(i.Err), i.Remote, i.Delay.Round(time.Millisecond))
			},
			Resume: func(_ context.Context, i ftpx.ResumeInfo) {
				resumes.Add(1)
				d.say("  %-4v %s resumed at %d of %d bytes (verified by %s)\n", p, i.Remote, i.Offset, i.Size, i.Proof)
			},
		},
	}})
	if err != nil {
		return r, err
	}
	defer client.Close()
	begin := time.Now()
	if _, err := folder.Upload(ctx, client, d.source(), ".", nil); err != nil {
		return r, fmt.Errorf("the upload: %w", err)
	}
	r.took = time.Since(begin)
	ps := proxy.Stats()
	// Counted at the proxy: what lies in the sender's kernel when a connection
	// is reset has never been on the line. The overhead of TLS and SSH counts.
	r.sent, r.connections, r.resets = proxy.Stats(faultproxy.SSH, faultproxy.Data).Up, ps.Conns, ps.Resets
	r.survived, r.resumes = int(survived.Load()), int(resumes.Load())
	if d.tamper != nil {
		d.tamper(root)
	}
	return r, d.compare(root, &r)
}

// compare compares every file with what is on the server's disk, by SHA-256.
func (d *demo) compare(root string, r *row) error {
	err := filepath.WalkDir(d.source(), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(d.source(), p)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(root, rel))
		a, b := sha256.Sum256(want), sha256.Sum256(got)
		if err != nil || !bytes.Equal(a[:], b[:]) {
			r.wrong++
			d.say("  %-4v WRONG: %s: %d bytes sent, %d on the server\n", r.proto, rel, len(want), len(got))
		}
		r.files++
		r.bytes += int64(len(want))
		return nil
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(p) == ".part" {
			err = errors.New("a partial was left behind: " + p)
		}
		return err
	})
}

func (d *demo) summary(rows []row) int {
	w := tabwriter.NewWriter(d.env.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nprotocol\tfiles\tidentical\tbytes\tconnections\treset\tsurvived\tresumes\tline beyond need\ttime\t")
	wrong, survived, resumes := 0, 0, 0
	for _, r := range rows {
		beyond := r.sent - r.bytes
		fmt.Fprintf(w, "%v\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d (%.1f %%)\t%v\t\n", r.proto, r.files, r.files-r.wrong, r.bytes, r.connections, r.resets,
			r.survived, r.resumes, beyond, 100*float64(beyond)/float64(r.bytes), r.took.Round(time.Millisecond))
		wrong, survived, resumes = wrong+r.wrong, survived+r.survived, resumes+r.resumes
	}
	w.Flush()
	switch {
	case wrong > 0:
		d.say("\nFAILED: not identical on the server: %d of the files\n", wrong)
	case survived == 0 || resumes == 0:
		d.say("\nFAILED: no reset was survived, or nothing was resumed, so nothing has been shown: try another -seed\n")
	default:
		d.say("\nAll files are identical on the server (SHA-256), %d resets survived, %d transfers resumed.\n", survived, resumes)
		return cli.ExitDone
	}
	return cli.ExitSome
}
