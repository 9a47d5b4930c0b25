package ftplist

import "time"

// timeVal is the form of times in facts, MDTM and MFMT.
const timeVal = "20060102150405"

// Time reads YYYYMMDDHHMMSS with an optional fraction (RFC 3659 section
// 2.3). It is UTC.
func Time(s string) (time.Time, bool) {
	if len(s) < len(timeVal) {
		return time.Time{}, false
	}
	t, err := time.Parse(timeVal, s[:len(timeVal)])
	if err != nil {
		return time.Time{}, false
	}
	frac := s[len(timeVal):]
	if frac == "" {
		return t, true
	}
	if frac[0] != '.' || len(frac) == 1 {
		return time.Time{}, false
	}
	ns, scale := 0, int(time.Second)
	for _, c := range []byte(frac[1:]) {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		scale /= 10
		ns += int(c-'0') * scale
	}
	return t.Add(time.Duration(ns)), true
}
