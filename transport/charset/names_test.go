package charset

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// usable are sets that servers have.
var usable = map[string]encoding.Encoding{
	"GBK": simplifiedchinese.GBK, "GB18030": simplifiedchinese.GB18030, "Shift-JIS": japanese.ShiftJIS, "EUC-JP": japanese.EUCJP,
	"Big5": traditionalchinese.Big5, "EUC-KR": korean.EUCKR, "Windows-1252": charmap.Windows1252, "Windows-1251": charmap.Windows1251,
	"KOI8-R": charmap.KOI8R, "ISO-8859-1": charmap.ISO8859_1, "ISO-8859-15": charmap.ISO8859_15, "CP437": charmap.CodePage437,
	"CP850": charmap.CodePage850, "Windows-874": charmap.Windows874, "Macintosh": charmap.Macintosh, "UTF-8": unicode.UTF8, "none": encoding.Nop,
}

func TestCheck(t *testing.T) {
	for name, set := range usable {
		if err := Check(set); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Check(nil); err != nil {
		t.Error(err)
	}
	for name, set := range map[string]encoding.Encoding{
		"ISO-2022-JP": japanese.ISO2022JP, "HZ": simplifiedchinese.HZGB2312, "EBCDIC": charmap.CodePage037, "EBCDIC 1047": charmap.CodePage1047,
		"UTF-16": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "UTF-8 with BOM": unicode.UTF8BOM, "replacement": encoding.Replacement,
	} {
		err := Check(set)
		if err == nil {
			t.Errorf("%s is taken", name)
			continue
		}
		t.Log(err)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		set       encoding.Encoding
		name, raw string
	}{
		{simplifiedchinese.GBK, "你好.txt", "\xc4\xe3\xba\xc3.txt"},
		{simplifiedchinese.GBK, "d/乗/x", "d/\x81\x5c/x"}, // 0x5C is a backslash alone
		{japanese.ShiftJIS, "ソース", "\x83\x5c\x81\x5b\x83\x58"},
		{japanese.ShiftJIS, "能ポ", "\x94\x5c\x83\x7c"}, // a backslash and a pipe
		{japanese.ShiftJIS, "ｱｲ", "\xb1\xb2"},
		{japanese.ShiftJIS, `a\b~`, `a\b~`},
		{japanese.EUCJP, "日本", "\xc6\xfc\xcb\xdc"},
		{traditionalchinese.Big5, "功許", "\xa5\x5c\xb3\x5c"},
		{korean.EUCKR, "한글", "\xc7\xd1\xb1\xdb"},
		{charmap.Windows1252, "Grüße €", "Gr\xfc\xdfe \x80"},
		{charmap.Windows1251, "яя", "\xff\xff"},
		{simplifiedchinese.GB18030, "é😀�", "\xa8\xa6\x94\x39\xfc\x36\x84\x31\xa4\x37"},
		{unicode.UTF8, "ä", "ä"}, {encoding.Nop, "\xff", "\xff"},
		// What is no character is passed on in both directions.
		{japanese.ShiftJIS, "ソ\xfd\xfe.txt", "\x83\x5c\xfd\xfe.txt"},
		{japanese.ShiftJIS, "a\x83", "a\x83"},
		{simplifiedchinese.GBK, "\xff好", "\xff\xba\xc3"},
		{simplifiedchinese.GBK, "鏃\xa5", "\xe6\x97\xa5"}, // a name in UTF-8 on a server with GBK
		{korean.EUCKR, "\xc7.", "\xc7."},
		{charmap.Windows874, "ก\xfc", "\xa1\xfc"},
		{unicode.UTF8, "\xe4", "\xe4"},
	} {
		n := newNames(tt.set)
		if got := n.decode(tt.raw); got != tt.name {
			t.Errorf("%v: %q is %q, want %q", tt.set, tt.raw, got, tt.name)
		}
		if got, err := n.encode(tt.name); got != tt.raw || err != nil {
			t.Errorf("%v: %q is written %q, %v, want %q", tt.set, tt.name, got, err, tt.raw)
		}
	}
}

func TestRefusedNames(t *testing.T) {
	for _, tt := range []struct {
		set  encoding.Encoding
		name string
		want string
	}{
		{charmap.Windows1252, "日本", `no '日'`},
		{charmap.Windows1252, "e\u0301", `no`}, // é in two characters, as macOS used to write it
		{simplifiedchinese.GBK, "😀", `no '😀'`},
		{simplifiedchinese.GBK, "\ufffd", "no"},
		{japanese.ShiftJIS, "100¥", "no '¥'"},         // its byte is that of the backslash
		{japanese.ShiftJIS, "\x83\\", "another name"}, // would be taken for ソ
		{charmap.Windows1252, "\xe9", "another name"}, // would be taken for é
	} {
		n := newNames(tt.set)
		if got, err := n.encode(tt.name); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %q is written %q, %v, want %q", tt.set, tt.name, got, err, tt.want)
		}
	}
	// Sets that Check refuses write other characters with ASCII, separators too.
	for _, set := range []encoding.Encoding{japanese.ISO2022JP, simplifiedchinese.HZGB2312} {
		if got, err := newNames(set).encode("ギ"); !errors.Is(err, errTwoNames) {
			t.Errorf("%v: %q, %v", set, got, err)
		}
	}
}

// A name that cannot be written back is no string that could be sent.
func TestUnusableNames(t *testing.T) {
	n := newNames(odd{})
	got := n.decode("\xc3\xa9")
	if got != "\x00\xc3\xa9" {
		t.Errorf("%q", got)
	}
}

// odd is a set that has no characters beyond ASCII except é, written as 0xE9.
type odd struct{}

func (odd) NewDecoder() *encoding.Decoder { return charmap.CodePage037.NewDecoder() }
func (odd) NewEncoder() *encoding.Encoder { return charmap.Windows1252.NewEncoder() }

// FuzzNames: any bytes of a server are a name that leads back to the same bytes or
// is unusable, and any string is refused or comes back as it was.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "\x83\x5c", "\xc3\xa9", "ソ", "яя", "\xff\xff", "\x81\x30\x81\x30", "\xe6\x97\xa5", "\x8f\xa2\xaf", "100¥", "\x88\x62", "\u007f", "\x00", "\xc9\xa1\xc9\xa1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, set := range usable {
			n := newNames(set)
			d := n.decode(s)
			if strings.HasPrefix(d, unusable) && !strings.HasPrefix(s, unusable) {
				if d[1:] != s {
					t.Errorf("%s: %q is %q", name, s, d)
				}
			} else if back, err := n.encode(d); err != nil || back != s {
				t.Errorf("%s: %q is %q, which is written %q, %v", name, s, d, back, err)
			}
			if raw, err := n.encode(s); err == nil && n.decode(raw) != s {
				t.Errorf("%s: %q is written %q, which is %q", name, s, raw, n.decode(raw))
			}
			if text := n.text(s); utf8.ValidString(s) && text != s {
				t.Errorf("%s: %q reads %q", name, s, text)
			}
		}
	})
}
