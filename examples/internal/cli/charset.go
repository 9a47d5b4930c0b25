package cli

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // machines without time zones, such as containers, know -list-zone too

	"golang.org/x/text/encoding/htmlindex"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/charset"
)

// commonSets are named where an unknown one was given.
const commonSets = "utf-8, gbk, gb18030, big5, shift_jis, euc-jp, euc-kr, windows-1250 to windows-1258, iso-8859-1 to iso-8859-16, koi8-r, ibm866 or macintosh"

// names fills in what listings are written in.
func (f *Flags) names(opts *ftpx.Options) error {
	if f.ListZone != "" {
		zone, err := time.LoadLocation(f.ListZone)
		if err != nil {
			return fmt.Errorf("%w: -list-zone %q is not known: use a name of the time zone database, such as UTC, Europe/Berlin or Asia/Tokyo", ErrUsage, transport.Printable(f.ListZone))
		}
		opts.FTP.ListZone = zone
	}
	if f.Charset == "" {
		return nil
	}
	set, err := htmlindex.Get(strings.ReplaceAll(f.Charset, "_", "-"))
	if err != nil {
		set, err = htmlindex.Get(f.Charset)
	}
	if err != nil {
		return fmt.Errorf("%w: -charset %q is not known: use %s", ErrUsage, transport.Printable(f.Charset), commonSets)
	}
	if name, err := htmlindex.Name(set); err == nil && name == "utf-8" {
		return nil
	}
	if err := charset.Check(set); err != nil {
		return fmt.Errorf("%w: -charset: %w", ErrUsage, err)
	}
	opts.Charset = set
	return nil
}
