//go:build linux && realserver

package ftpx_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestDeliveryToOpenSSH: to an sshd that allows a few requests alone, as partners' do, a
// file is delivered whole; or, with the default, it is said after one attempt why not.
func TestDeliveryToOpenSSH(t *testing.T) {
	for name, k := range map[string]struct {
		flags, refused string
		left           bool
	}{
		"write-only": {flags: "-p open,write,close,realpath", refused: "look", left: true},
		"no rename":  {flags: "-P rename,posix-rename", refused: "rename"},
		"no look":    {flags: "-P stat,lstat,fstat,opendir,readdir", refused: "look"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, Extra: []string{"ForceCommand internal-sftp " + k.flags}})
			for _, size := range []int{0, 1354, 100 << 10, 40 << 20} {
				for _, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect, ftpx.DeliverDrop} {
					c, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Options: ftpx.Options{
						Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{ftpx.SFTP}, Ports: ftpx.Ports{SFTP: srv.Port},
						SSH: transport.SSH{KnownHosts: []string{srv.KnownHosts}},
					}})
					if err != nil {
						t.Fatal(err)
					}
					data := content(size)
					remote := filepath.Join(srv.Root, d.String())
					res, err := c.Upload(t.Context(), localFile(t, data), remote, &ftpx.UploadOptions{Delivery: d})
					var refused *ftpx.DeliveryError
					switch {
					case res.Attempts != 1:
						t.Errorf("%d bytes, %v: %+v, %v", size, d, res, err)
					case d == ftpx.DeliverAtomic:
						if !errors.As(err, &refused) || refused.What != k.refused {
							t.Errorf("%d bytes, %v: %+v, %v", size, d, res, err)
						}
						left, _ := filepath.Glob(filepath.Join(srv.Root, ".*.part"))
						if len(left) > 0 != k.left {
							t.Errorf("left: %v", left)
						}
						for _, name := range left {
							_ = os.Remove(name)
						}
					case err != nil:
						t.Errorf("%d bytes, %v: %+v, %v", size, d, res, err)
					default:
						wantFile(t, remote, data)
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// TestDeliveryToSFTPGo: the same to SFTPGo, where the login may upload and make folders, and
// nothing else.
func TestDeliveryToSFTPGo(t *testing.T) {
	for _, k := range []struct {
		kind  realserver.Kind
		proto ftpx.Protocol
		tls   realserver.TLSMode
	}{{realserver.SFTPGo, ftpx.SFTP, realserver.TLSOff}, {realserver.SFTPGoFTP, ftpx.FTP, realserver.TLSOff}, {realserver.SFTPGoFTP, ftpx.FTPS, realserver.TLSRequired}} {
		t.Run(k.proto.String(), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: k.kind, TLS: k.tls, Permissions: []string{"upload", "create_dirs"}})
			o := ftpx.Options{Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{k.proto}, AllowPlaintext: true,
				Ports: ftpx.Ports{SFTP: srv.Port, FTP: srv.Port, FTPS: srv.Port}, TLS: transport.TLS{CAFile: srv.CAFile}}
			if srv.KnownHosts != "" {
				o.SSH = transport.SSH{KnownHosts: []string{srv.KnownHosts}}
			}
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Options: o})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for _, size := range []int{0, 1354, 100 << 10, 4 << 20} {
				for _, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect, ftpx.DeliverDrop} {
					data := content(size)
					name := fmt.Sprintf("new%d/%v", size, d)
					res, err := c.Upload(t.Context(), localFile(t, data), name, &ftpx.UploadOptions{Delivery: d, CreateDirs: true})
					var refused *ftpx.DeliveryError
					switch {
					case res.Attempts != 1:
						t.Errorf("%d bytes, %v: %+v, %v", size, d, res, err)
					case d == ftpx.DeliverAtomic && !errors.As(err, &refused):
						t.Errorf("%d bytes, %v: %+v, %v", size, d, res, err)
					case d != ftpx.DeliverAtomic && err != nil:
						t.Errorf("%d bytes, %v: %+v, %v", size, d, res, err)
					case d != ftpx.DeliverAtomic:
						wantFile(t, filepath.Join(srv.Root, name), data)
					}
				}
			}
		})
	}
}
