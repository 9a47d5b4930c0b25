package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func TestCharsetFlag(t *testing.T) {
	for name, want := range map[string]string{
		"": "<nil>", "utf-8": "<nil>", "UTF8": "<nil>", "gbk": "GBK", "GB2312": "GBK", "gb18030": "GB18030", "Shift_JIS": "Shift JIS", "shift-jis": "Shift JIS", "sjis": "Shift JIS",
		"windows-1252": "Windows 1252", "latin1": "Windows 1252", "iso-8859-15": "ISO 8859-15", "koi8-r": "KOI8-R", "ks_c_5601-1987": "EUC-KR", "ibm866": "IBM Code Page 866",
	} {
		var opts ftpx.Options
		f := Flags{Charset: name}
		if err := f.names(&opts); err != nil || fmt.Sprint(opts.Charset) != want {
			t.Errorf("%q: %v, %v, want %s", name, opts.Charset, err, want)
		}
	}
	for name, want := range map[string]string{"klingon": "shift_jis", "\x1b[2J": "windows-1250", "utf-16le": "-charset", "iso-2022-jp": "-charset", "replacement": "-charset"} {
		f := Flags{Charset: name}
		err := f.names(new(ftpx.Options))
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestListZoneFlag(t *testing.T) {
	for name, want := range map[string]string{"": "UTC", "UTC": "UTC", "Asia/Tokyo": "Asia/Tokyo"} {
		var opts ftpx.Options
		f := Flags{ListZone: name}
		if err := f.names(&opts); err != nil || opts.FTP.ListZone.String() != want {
			t.Errorf("%q: %v, %v", name, opts.FTP.ListZone, err)
		}
	}
	for _, name := range []string{"Middle/Earth", "../../etc/passwd"} {
		f := Flags{ListZone: name}
		if err := f.names(new(ftpx.Options)); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "Europe/Berlin") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
