//go:build linux && realserver

package trustdrill

import (
	"context"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestUploadCrossesProtocols takes the protocol away in which an upload began,
// for good, in the middle of it. On the same host, with the same folder, it goes
// on over the next one from the offset that is proven.
func TestUploadCrossesProtocols(t *testing.T) {
	const size = 64 * mib
	data := content(1, size)
	for _, other := range []setup{vsftpd13, proftpdS, pureftpdS} {
		for _, first := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
			t.Run(first.String()+" lost, with "+other.name, func(t *testing.T) {
				root := realtest.Folder(t)
				share := func(o *realserver.Options) { o.Root = root }
				line := faultproxy.Options{Seed: 1, UpRate: 64 * mib}
				ssh, ftps := newRigWith(t, sshd.with(share), line), newRigWith(t, other.with(share), line)
				begun, rest := ssh, ftps
				if first == ftpx.FTPS {
					begun, rest = ftps, ssh
				}
				begun.planPayload(faultproxy.Always(faultproxy.StallAt(faultproxy.Up, size/2)))

				cfg := ftps.access().config()
				cfg.Protocols = []ftpx.Protocol{begun.proto, rest.proto}
				cfg.Ports.SFTP, cfg.SSH = ssh.srv.Port, ssh.access().config().SSH
				var chosen []ftpx.Protocol
				var proof string
				cfg.Hooks = &ftpx.Hooks{
					Protocol: func(_ context.Context, i ftpx.ProtocolInfo) {
						if i.Chosen {
							chosen = append(chosen, i.Protocol)
						}
					},
					Resume: func(_ context.Context, i ftpx.ResumeInfo) { proof = i.Proof },
				}
				c := open(t, cfg)
				type end struct {
					res ftpx.Result
					err error
				}
				ended := make(chan end, 1)
				source := local(t, data)
				go func() {
					res, err := c.Upload(t.Context(), source, "f", nil)
					ended <- end{res, err}
				}()
				begun.await(t, "half of the file", func(s faultproxy.Stats) bool { return s.Stalls > 0 }, begun.payloadRole())
				begun.control.Refuse()
				begun.proxy.Cut(faultproxy.Reset)
				e := <-ended
				if e.err != nil || !same(t, begun.on("f"), data) {
					t.Fatalf("%+v, %v", e.res, e.err)
				}
				before, after := begun.proxy.Stats(begun.payloadRole()).Up, rest.proxy.Stats(rest.payloadRole()).Up
				total := float64(before+after) / size
				t.Logf("%s over %v, then %s over %v: %.4f times the file; handed over %.4f; resumed by %q; protocols in turn %v",
					inMiB(before), begun.proto, inMiB(after), rest.proto, total, float64(c.Stats().BytesSent)/size, proof, chosen)
				if total > 1.1 {
					t.Errorf("%.3f times the file were sent", total)
				}
				if e.res.Protocol != rest.proto || e.res.Resumes == 0 {
					t.Errorf("it did not go on over %v: %+v", rest.proto, e.res)
				}
				rest.only(t, "f")
			})
		}
	}
}
