//go:build linux && realserver

package ftpx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// openReal opens a client of a real server.
func openReal(t *testing.T, srv *realserver.Server, change func(*ftpx.Options)) ftpx.Client {
	t.Helper()
	cfg := ftpx.Config{Host: srv.Host, User: srv.User, Options: ftpx.Options{
		Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true,
		Ports: ftpx.Ports{SFTP: srv.Port, FTP: srv.Port}, SSH: transport.SSH{KnownHosts: []string{srv.KnownHosts}},
		Retry: retry.Policy{InitialDelay: time.Millisecond},
	}}
	if srv.Kind == realserver.OpenSSH {
		cfg.Protocols = []ftpx.Protocol{ftpx.SFTP}
	}
	change(&cfg.Options)
	c, err := ftpx.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Real servers keep the bytes of names: what is written in a character set lies so
// on their disks, and comes back.
func TestRealCharsets(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD, realserver.PureFTPd, realserver.OpenSSH} {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			for _, tt := range []struct {
				set             encoding.Encoding
				dir, name       string
				rawDir, rawName string
			}{
				{nil, "Stra\xdfe", "Gr\xfc\xdfe.txt", "Stra\xdfe", "Gr\xfc\xdfe.txt"},
				{simplifiedchinese.GBK, "目录", "你好.txt", "\xc4\xbf\xc2\xbc", "\xc4\xe3\xba\xc3.txt"},
				{simplifiedchinese.GBK, "目录", "乗.txt", "\xc4\xbf\xc2\xbc", "\x81\x5c.txt"},
				{japanese.ShiftJIS, "資料", "ソ能ポ.txt", "\x8e\x91\x97\xbf", "\x83\x5c\x94\x5c\x83\x7c.txt"},
				{charmap.Windows1252, "Übung", "Grüße ÿÿ €", "\xdcbung", "Gr\xfc\xdfe \xff\xff \x80"},
				// яы is 0xFF 0xFB, "IAC WILL" of Telnet; яя is 0xFF twice.
				{charmap.Windows1251, "статья", "яы яя я", "\xf1\xf2\xe0\xf2\xfc\xff", "\xff\xfb \xff\xff \xff"},
			} {
				t.Run(fmt.Sprint(tt.set), func(t *testing.T) {
					c := openReal(t, srv, func(o *ftpx.Options) { o.Charset = tt.set })
					if kind == realserver.PureFTPd && strings.Contains(tt.rawName, `\`) {
						// It takes no backslash in a name, and sees one in these.
						_, err := c.Put(t.Context(), tt.name, strings.NewReader("x"), nil)
						if ftpx.KindOf(err) != transport.KindPermission && ftpx.KindOf(err) != transport.KindName {
							t.Error(err)
						}
						t.Log(err)
						return
					}
					throughCharset(t, srv, c, tt.dir, tt.name, tt.rawDir, tt.rawName)
				})
			}
		})
	}
}

func throughCharset(t *testing.T, srv *realserver.Server, c ftpx.Client, dir, name, rawDir, rawName string) {
	ctx := t.Context()
	local := filepath.Join(t.TempDir(), "local")
	if err := os.WriteFile(local, []byte(name), 0o600); err != nil {
		t.Fatal(err)
	}
	res, err := c.Upload(ctx, local, dir+"/"+name, &ftpx.UploadOptions{CreateDirs: true})
	if err != nil || res.Outcome != ftpx.Done {
		t.Fatal(res, err)
	}
	folder := filepath.Join(srv.Root, rawDir)
	disk := namesIn(t, folder)
	if !slices.Equal(disk, []string{rawName}) {
		t.Errorf("on disk: %q, want %q", disk, rawName)
	}
	names := listed(t, c, dir)
	if !slices.Equal(names, []string{name}) {
		t.Errorf("listed: %q", names)
	}
	t.Logf("%q in %q lies there as %q in %q", names, dir, disk, rawDir)
	if e, err := c.Stat(ctx, dir+"/"+name); err != nil || e.Name != name || e.Size != int64(len(name)) {
		t.Errorf("%+v, %v", e, err)
	}
	var got bytes.Buffer
	if _, err := c.Get(ctx, dir+"/"+name, &got, nil); err != nil || got.String() != name {
		t.Errorf("%q, %v", &got, err)
	}
	if err := c.Rename(ctx, dir+"/"+name, dir+"/"+name+name); err != nil {
		t.Error(err)
	}
	if disk := namesIn(t, folder); !slices.Equal(disk, []string{rawName + rawName}) {
		t.Errorf("renamed: %q", disk)
	}
	if _, err := c.Stat(ctx, dir+"/"+name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := c.RemoveAll(ctx, dir); err != nil {
		t.Error(err)
	}
	if left := namesIn(t, srv.Root); slices.Contains(left, rawDir) {
		t.Errorf("left: %q", left)
	}
}

// vsftpd, where it shows local time, does so in LIST and in MDTM. With the zone
// given all of it is right, and what is set is what is told.
func TestRealLocalTime(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.VSFTPD, LocalTime: "Asia/Tokyo"})
	recent, old := time.Now().Add(-90*time.Minute).Truncate(time.Second), time.Date(2020, 2, 28, 20, 30, 5, 0, time.UTC)
	for name, when := range map[string]time.Time{"recent": recent, "old": old} {
		file := filepath.Join(srv.Root, name)
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		zone   *time.Location
		behind time.Duration // how far times are from the truth
	}{{"with the zone", zone, 0}, {"without", nil, 9 * time.Hour}} {
		t.Run(tt.name, func(t *testing.T) {
			c := openReal(t, srv, func(o *ftpx.Options) { o.FTP.ListZone = tt.zone })
			ctx := t.Context()
			for e, err := range c.List(ctx, ".") {
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v", e)
				want := recent.Add(tt.behind).Truncate(time.Minute)
				if e.Name == "old" {
					// Of those of long ago it shows the day: that in Tokyo.
					want = time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)
					if tt.zone != nil {
						want = time.Date(2020, 2, 29, 0, 0, 0, 0, tt.zone)
					}
				}
				if e.Name != "set" && !e.ModTime.Equal(want) {
					t.Errorf("%s: listed as of %v, want %v", e.Name, e.ModTime, want)
				}
			}
			for name, when := range map[string]time.Time{"recent": recent, "old": old} {
				if e, err := c.Stat(ctx, name); err != nil || !e.ModTime.Equal(when.Add(tt.behind)) {
					t.Errorf("%s: %v, %v, want %v", name, e.ModTime, err, when.Add(tt.behind))
				}
			}
			if _, err := c.Put(ctx, "set", strings.NewReader("x"), &ftpx.PutOptions{ModTime: old}); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(srv.Root, "set"))
			if err != nil || !info.ModTime().Equal(old.Add(-tt.behind)) {
				t.Errorf("set to %v, %v, want %v", info.ModTime().UTC(), err, old.Add(-tt.behind))
			}
			if e, err := c.Stat(ctx, "set"); err != nil || !e.ModTime.Equal(old) {
				t.Errorf("told back: %v, %v", e.ModTime, err)
			}
		})
	}
}
