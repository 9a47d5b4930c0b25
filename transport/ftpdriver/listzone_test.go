package ftpdriver

import (
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The zone is that of LIST alone: MDTM and MLSD are in UTC, but for vsftpd's MDTM.
func TestListZoneOfServer(t *testing.T) {
	for name, tt := range map[string]struct {
		greeting string
		mlsd     bool
		list     time.Time // 2020-01-02 12:00 in Tokyo, or not
		stat     time.Time
		set      string
	}{
		"LIST":          {"220 ready", false, day(2020, 1, 2, 3, 0, 0), day(2020, 1, 2, 12, 0, 0), "MDTM 20200102120000 f"},
		"vsftpd":        {"220 (vsFTPd 3.0.3)", false, day(2020, 1, 2, 3, 0, 0), day(2020, 1, 2, 3, 0, 0), "MDTM 20200102210000 f"},
		"MLSD and MFMT": {"220 ready", true, day(2020, 1, 2, 12, 0, 0), day(2020, 1, 2, 12, 0, 0), "MFMT 20200102120000 f"},
	} {
		t.Run(name, func(t *testing.T) {
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				f.greeting, f.feat = tt.greeting, []string{"MDTM"}
				f.files["f"] = []byte("12345")
				f.on["CWD"] = always("250 ok")
				f.on["MDTM"] = func(_ *session, arg string) string {
					if strings.Contains(arg, " ") {
						return "213 File modification time set."
					}
					return "213 20200102120000"
				}
				f.on["LIST"] = func(s *session, _ string) string {
					return s.send([]byte("-rw-r--r-- 1 a b 5 2020-01-02 12:00 f\r\n"))
				}
				if tt.mlsd {
					f.feat = []string{"MLST type*;", "MFMT"}
					f.on["MLSD"] = func(s *session, _ string) string {
						return s.send([]byte("type=file;size=5;modify=20200102120000; f\r\n"))
					}
					f.on["MFMT"] = always("213 ok")
				}
			})
			ep.ListZone = zone(t, "Asia/Tokyo")
			c := dial(t, ep)
			if err := c.List(t.Context(), ".", func(e transport.Entry) bool {
				if !e.ModTime.Equal(tt.list) {
					t.Errorf("listed as of %v, want %v", e.ModTime, tt.list)
				}
				return true
			}); err != nil {
				t.Error(err)
			}
			if e, err := c.Stat(t.Context(), "f"); err != nil || !e.ModTime.Equal(tt.stat) || !e.TimeExact {
				t.Errorf("%+v, %v, want %v", e, err, tt.stat)
			}
			if err := c.Chtimes(t.Context(), "f", day(2020, 1, 2, 12, 0, 0)); err != nil {
				t.Error(err)
			}
			if got := f.got(); got[len(got)-1] != tt.set {
				t.Errorf("%q, want %q", got, tt.set)
			}
		})
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
