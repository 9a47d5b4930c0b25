package transport

import "testing"

// Names are looked at as they have been decoded: what was half a character is no
// separator and no pipe, and what became one is.
func TestMisleadingNames(t *testing.T) {
	for name, tt := range map[string]struct{ here, windows bool }{
		"plain":         {false, false},
		"能ポ":            {false, false}, // 94 5C 83 7C in Shift-JIS
		"\x94\x5c":      {false, true},  // the same, not decoded: on Windows "\" leads on
		`a\b`:           {false, true},
		"a|b":           {false, true},
		"a／b":           {false, false}, // the wide one separates nothing
		"..":            {true, true},
		"":              {true, true},
		"a/b":           {true, true},
		"\x00\xc3":      {true, true}, // what transport/charset calls unusable
		"a\x1b[2J":      {true, true},
		"a\u009b31m":    {true, true}, // the same to a terminal
		"a\u0085":       {true, true},
		"a\x7f":         {true, true},
		"a\u00a0b":      {false, false},
		"Gr\xfc\xdfe":   {false, true}, // Windows would make one name of several such
		"\xed\xa0\x80a": {false, true},
		"NUL.txt":       {false, true},
	} {
		if why := MisleadingName(name, false); (why != "") != tt.here {
			t.Errorf("%q: %q", name, why)
		}
		if why := MisleadingName(name, true); (why != "") != tt.windows {
			t.Errorf("%q on Windows: %q", name, why)
		}
	}
}
