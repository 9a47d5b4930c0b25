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
		"...":           {false, true},
		"..a":           {false, false},
		"-rf":           {false, false},
		"über":          {false, false},
		".part":         {false, false},
		"con1":          {false, false},
		"lpt":           {false, false},
		"COM10":         {false, false},
		"console.txt":   {false, false},
		".":             {true, true},
		"../x":          {true, true},
		"/etc/passwd":   {true, true},
		"a/":            {true, true},
		"a\r\nb":        {true, true},
		`..\x`:          {false, true},
		`\\host\share`:  {false, true},
		"C:":            {false, true},
		"C:x":           {false, true},
		"a:stream":      {false, true},
		"NUL":           {false, true},
		"Aux":           {false, true},
		"CON .txt":      {false, true},
		"com1":          {false, true},
		"COM².log":      {false, true},
		"conin$":        {false, true},
		"LPT0":          {false, true},
		"end.":          {false, true},
		"end ":          {false, true},
		"what?":         {false, true},
		`"`:             {false, true},
	} {
		if why := MisleadingName(name, false); (why != "") != tt.here {
			t.Errorf("%q: %q", name, why)
		}
		if why := MisleadingName(name, true); (why != "") != tt.windows {
			t.Errorf("%q on Windows: %q", name, why)
		}
	}
}
