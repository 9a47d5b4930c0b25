//go:build linux && realserver

package trustdrill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// furtherSetups are the servers beside those that the other drills know well.
func furtherSetups() []setup {
	var all []setup
	for _, kind := range realserver.FurtherSFTPKinds() {
		all = append(all, setup{string(kind), ftpx.SFTP, realserver.Options{Kind: kind}})
	}
	for _, kind := range realserver.FurtherFTPKinds() {
		all = append(all, setup{string(kind) + "/ftp", ftpx.FTP, realserver.Options{Kind: kind}})
		if kind.SpeaksTLS() {
			all = append(all, setup{string(kind) + "/ftps", ftpx.FTPS, realserver.Options{Kind: kind, TLS: realserver.TLSRequired}})
		}
	}
	return all
}

// timeless are the servers that take no time and list none exactly. There it takes a
// ledger to know what is the same, as folder.CompareTime says.
var timeless = map[realserver.Kind]bool{realserver.Inetutils: true, realserver.BusyBox: true, realserver.FTPSrv: true}

// emptyIsLost is where no empty file can be fetched, see [further.empty].
const emptyIsLost = "goftp/ftps"

// TestFurtherServers: a tree goes up and comes down as it is, a second time nothing is
// moved, both go through a line that resets most connections, and a process that is killed
// in the middle of a file leaves what the next one goes on with.
func TestFurtherServers(t *testing.T) {
	for _, s := range furtherSetups() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := newFurther(t, s)
			t.Run("empty", f.empty)
			t.Run("refused", f.refused)
			t.Run("folder", f.folderStays)
			t.Run("mirror", f.mirrors)
			t.Run("resets", f.resets)
			t.Run("killed", f.killed)
		})
	}
}

// further is one of them behind a line that can be made bad. Some take any port for data
// connections, so that it is the client's dialling that leads through the line.
type further struct {
	setup
	srv   *realserver.Server
	proxy *faultproxy.Proxy
}

func newFurther(t *testing.T, s setup) *further {
	f := &further{setup: s, srv: realtest.Start(t, s.opt), proxy: faultproxy.New(faultproxy.Options{Seed: 1})}
	t.Cleanup(func() { _ = f.proxy.Close() })
	return f
}

// access leads to the server itself.
func (f *further) access() access { return (&rig{setup: f.setup, srv: f.srv}).access().at(f.srv.Host) }

// client leads through the line where the plan, of connections with payload, is not nil.
func (f *further) client(t *testing.T, plan faultproxy.Plan) ftpx.Client {
	t.Helper()
	cfg := f.access().config()
	cfg.Retry = retry.Policy{MaxAttempts: 12, InitialDelay: 5 * time.Millisecond, MaxDelay: 50 * time.Millisecond} // what never works, shows soon
	if plan != nil {
		cfg.Dial = f.through(plan)
	}
	return open(t, cfg)
}

// through dials each address by a route of its own.
func (f *further) through(plan faultproxy.Plan) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		o := faultproxy.RouteOptions{Role: faultproxy.Data, Target: address, Plan: plan}
		switch {
		case f.proto == ftpx.SFTP:
			o.Role = faultproxy.SSH
		case address == f.srv.Addr():
			o.Role, o.Plan = faultproxy.Control, nil
		}
		route, err := f.proxy.Route(o)
		if err != nil {
			return nil, err
		}
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(route.Port())))
	}
}

// empty moves a file without content.
func (f *further) empty(t *testing.T) {
	c := f.client(t, nil)
	_, err := c.Upload(t.Context(), local(t, nil), "nothing", nil)
	must(t, err)
	same(t, filepath.Join(f.srv.Root, "nothing"), nil)
	back := filepath.Join(t.TempDir(), "back")
	if _, err := c.Download(t.Context(), "nothing", back, nil); err != nil {
		t.Fatal(err)
	}
	same(t, back, nil)
}

// refused: what is sent into a folder that is not there is refused, and that is heard. goftp
// says so while it leaves the data connection open.
func (f *further) refused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := f.client(t, nil).Upload(ctx, local(t, content(4, 100<<10)), "nowhere/f", nil)
	if err == nil || ctx.Err() != nil {
		t.Errorf("it was not heard: %v", err)
	}
}

// folderStays: a file that is named like a folder is refused in each way of delivery, small or
// large, and the folder is as it was. ftp-srv tells a size of folders.
func (f *further) folderStays(t *testing.T) {
	c := f.client(t, nil)
	must(t, c.MkdirAll(t.Context(), "box"))
	_, err := c.Put(t.Context(), "box/inside", bytes.NewReader(content(5, 1000)), nil)
	must(t, err)
	kept := map[string]bool{} // partials that an error has named
	for _, size := range []int{100, 2 * mib} {
		for _, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect, ftpx.DeliverDrop} {
			res, err := c.Upload(t.Context(), local(t, content(6, size)), "box", &ftpx.UploadOptions{Delivery: d})
			var e *ftpx.Error
			if !errors.As(err, &e) {
				t.Errorf("%d bytes, %v: done: %+v", size, d, res)
				continue
			}
			kept[e.Partial] = e.Partial != "box" // where what was sent directly may be
			same(t, filepath.Join(f.srv.Root, "box/inside"), content(5, 1000))
		}
	}
	entries, err := os.ReadDir(f.srv.Root)
	must(t, err)
	for _, e := range entries {
		if strings.Contains(e.Name(), "box") && e.Name() != "box" && !kept[e.Name()] {
			t.Errorf("left behind: %q", e.Name())
		}
		if kept[e.Name()] {
			must(t, os.Remove(filepath.Join(f.srv.Root, e.Name())))
		}
	}
}

// tree makes a tree with what trees have: empty files, folders in folders, names of
// many kinds, and some files of a mebibyte.
func (f *further) tree(t *testing.T, seed byte) (dir string, want map[string][]byte) {
	t.Helper()
	dir = t.TempDir()
	least := 0
	if f.name == emptyIsLost {
		least = 1
	}
	want = smallTree(t, dir, seed, 24, func(i int) int { return least + i*i*700 })
	for name, n := range map[string]int{
		"empty": least, "größe.bin": mib + 1, "a b/ü.txt": 3, "a b/c/帳.txt": 700, "-dash": 5, "[brackets]": 6, "100%": 7, "deep/er/and/deeper/x": 8,
	} {
		want[name] = content(seed^byte(n), n)
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		write(t, filepath.Join(dir, name), want[name])
	}
	return dir, want
}

// mirrors: up and down, and the second time of each moves nothing.
func (f *further) mirrors(t *testing.T) {
	tree, want := f.tree(t, 1)
	c := f.client(t, nil)
	back := t.TempDir()
	opts := &folder.Options{Parallel: 4}
	if timeless[f.srv.Kind] {
		l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"), nil)
		must(t, err)
		defer l.Close()
		opts.Ledger = l
	}
	for round, copied := range []int{len(want), 0} {
		up, err := folder.Upload(t.Context(), c, tree, "tree", opts)
		must(t, err)
		if up.Copied != copied {
			t.Errorf("round %d: %d files went up, want %d", round, up.Copied, copied)
		}
		down, err := folder.Download(t.Context(), c, "tree", back, opts)
		must(t, err)
		if down.Copied != copied {
			t.Errorf("round %d: %d files came down, want %d", round, down.Copied, copied)
		}
	}
	if n := wantTree(t, filepath.Join(f.srv.Root, "tree"), want); n > 0 {
		t.Errorf("%d files of ours are left", n)
	}
	wantTree(t, back, want)
}

// resets: up and down through a line on which most connections with payload are reset.
func (f *further) resets(t *testing.T) {
	tree, want := f.tree(t, 2)
	c := f.client(t, faultproxy.ResetRate(0.5, 1000, mib))
	opts := &folder.Options{Parallel: 4, Compare: folder.CompareNothing}
	_, err := folder.Upload(t.Context(), c, tree, "reset", opts)
	must(t, err)
	wantTree(t, filepath.Join(f.srv.Root, "reset"), want)
	back := t.TempDir()
	_, err = folder.Download(t.Context(), c, "reset", back, opts)
	must(t, err)
	wantTree(t, back, want)
	if f.proxy.Stats().Resets == 0 {
		t.Error("no connection was reset")
	}
}

// killed: a process is killed in the middle of an upload, and of a download.
func (f *further) killed(t *testing.T) {
	const size = 8 * mib
	data := content(3, size)
	r := &rig{setup: f.setup, srv: f.srv}
	for _, op := range []string{"upload", "download"} {
		name := "killed-" + op
		o := order{Op: op, Local: local(t, data), Remote: name, Account: f.access()}
		if op == "download" {
			o.Local = filepath.Join(t.TempDir(), name)
			r.put(t, name, data)
		}
		o.Account.Rate = 16 * mib // half a second
		first := startMover(t, o)
		await(t, fmt.Sprintf("%s of %d bytes", op, size/2), func() bool {
			select {
			case <-first.gone:
				t.Fatalf("the mover ended before it could be killed: %s", first.out.String())
			default:
			}
			return first.counter.Load() >= size/2
		})
		first.kill()
		o.Account.Rate = 0
		v := startMover(t, o).verdict(t)
		file := o.Local
		if op == "upload" {
			file = r.on(name)
		}
		if v.Outcome != "done" || !same(t, file, data) {
			t.Errorf("%s: %+v", op, v)
		}
		if v.Kept == 0 {
			t.Errorf("%s: begun anew: %+v", op, v)
		}
	}
	if left := r.partials(t); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
