//go:build linux && realserver

package trustdrill

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestFailoverOfAnUpload takes the primary away in the middle of an upload, in
// each way in which hosts go away, with a first standby that is down and a second
// one that works. With default settings bytes flow there within 3 s where the
// primary refuses or resets, and within 15 s where it is a black hole; with
// shared storage next to nothing is sent twice.
func TestFailoverOfAnUpload(t *testing.T) {
	const size = 48 * mib
	data := content(3, size)
	for _, s := range []setup{sshd, vsftpd13, proftpdS, pureftpdS} {
		for _, shared := range []bool{true, false} {
			for _, death := range []struct {
				name   string
				within time.Duration
				kill   func(*testing.T, *rig)
			}{
				{"killed", 3 * time.Second, func(t *testing.T, r *rig) {
					r.control.Refuse() // as the kernel does for a port that nobody listens on
					if err := r.srv.Kill(); err != nil {
						t.Error(err)
					}
				}},
				{"reset", 3 * time.Second, func(_ *testing.T, r *rig) {
					r.control.SetPlan(faultproxy.Always(faultproxy.Refused()))
					r.proxy.Cut(faultproxy.Reset)
				}},
				{"black-holed", 15 * time.Second, func(_ *testing.T, r *rig) {
					r.control.SetPlan(faultproxy.Always(faultproxy.BlackHoled()))
					r.proxy.Cut(faultproxy.Stall)
				}},
			} {
				if testing.Short() && s.opt.Kind != realserver.VSFTPD && s.opt.Kind != realserver.OpenSSH {
					continue
				}
				if testing.Short() && death.name == "black-holed" && shared != (s.opt.Kind == realserver.VSFTPD) {
					continue // twelve seconds each; the one that is the worst of its kind stays
				}
				name := s.name + " " + death.name
				if shared {
					name += ", shared storage"
				}
				t.Run(name, func(t *testing.T) {
					share := func(*realserver.Options) {}
					if shared {
						root := realtest.Folder(t)
						share = func(o *realserver.Options) { o.Root = root }
					}
					line := faultproxy.Options{Seed: 1, UpRate: 24 * mib}
					rigs := []*rig{newRigWith(t, s.with(share), line), newRigWith(t, s.with(share), line), newRigWith(t, s.with(share), line)}
					rigs[1].control.Refuse()
					cfg := rigs[0].access().config()
					for _, r := range rigs[1:] {
						cfg.Standbys = append(cfg.Standbys, ftpx.Standby{Host: proxyHost,
							Ports: ftpx.Ports{SFTP: r.srv.Port, FTP: r.srv.Port}, User: r.srv.User, Password: ftpx.Secret(r.srv.Password)})
						cfg.SSH.HostKeyFingerprints = append(cfg.SSH.HostKeyFingerprints, r.access().HostKeys...)
					}
					var resumedAt atomic.Int64
					cfg.Hooks = &ftpx.Hooks{Resume: func(_ context.Context, i ftpx.ResumeInfo) { resumedAt.Store(i.Offset) }}
					c := open(t, cfg)
					failed := make(chan error, 1)
					source := local(t, data)
					go func() {
						_, err := c.Upload(t.Context(), source, "f", nil)
						failed <- err
					}()
					role := rigs[0].payloadRole()
					rigs[0].await(t, "half of the file", func(s faultproxy.Stats) bool { return s.Up > size/2 }, role)
					before := rigs[2].proxy.Stats(role).Up
					died := time.Now()
					death.kill(t, rigs[0])
					await(t, "payload on the standby", func() bool { return rigs[2].proxy.Stats(role).Up > before+64<<10 })
					took := time.Since(died)
					if err := <-failed; err != nil {
						t.Fatal(err)
					}
					if !same(t, rigs[2].on("f"), data) {
						t.Error("the file on the standby is not the source")
					}
					sent := rigs[0].proxy.Stats(role).Up + rigs[2].proxy.Stats(role).Up
					t.Logf("%v to payload on the standby; resumed at %s; %.3f times the file were sent", took.Round(time.Millisecond), inMiB(resumedAt.Load()), float64(sent)/size)
					if took > death.within {
						t.Errorf("it took %v, want at most %v", took, death.within)
					}
					// vsftpd locks the partial for the session on the host that
					// died, which on a machine that both share is still there.
					held := s.opt.Kind == realserver.VSFTPD && death.name == "black-holed"
					if shared && !held && (resumedAt.Load() < size/4 || float64(sent)/size > 1.3) {
						t.Errorf("resumed at %s and sent %.3f times the file, with shared storage", inMiB(resumedAt.Load()), float64(sent)/size)
					}
					if !shared && resumedAt.Load() != 0 {
						t.Errorf("resumed at %d on a host that has nothing", resumedAt.Load())
					}
					rigs[2].only(t, "f")
				})
			}
		}
	}
}
