package transport

import (
	"strings"
	"unicode/utf8"
)

// MisleadingName says in words what is wrong with one name of a server's listing as
// that of a local file, or nothing: it would lead out of its folder, is no single
// name, or does something to a terminal. Windows has rules of its own, which go by
// the name, not by what the file system then does. The name is one that has been
// decoded, where the server has a character set of its own: in Shift-JIS and GBK
// the bytes of "\" and "|" are halves of other characters.
func MisleadingName(name string, windows bool) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "would lead out of the folder"
	case strings.Contains(name, "/"):
		return "holds a separator"
	}
	for _, r := range name {
		if r < ' ' || r >= 0x7f && r < 0xa0 { // the latter act in terminals, too
			return "holds control characters"
		}
	}
	switch {
	case !windows:
	case !utf8.ValidString(name):
		return "is not in UTF-8, so that Windows could take it for another: see Options.Charset"
	case strings.ContainsAny(name, `\:`):
		return "names a drive, a stream or a path on Windows"
	case strings.ContainsAny(name, `<>"|?*`):
		return "holds characters that Windows allows in no name"
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "ends in a dot or a space, which Windows leaves out"
	case windowsDevice(name):
		return "is a device on Windows"
	}
	return ""
}

// windowsDevice reports whether Windows takes a name for a device, whatever its
// extension: "nul.txt" is NUL. Superscript digits count as digits.
func windowsDevice(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(base, port); ok && n != "" && strings.Contains(" 0 1 2 3 4 5 6 7 8 9 ¹ ² ³ ", " "+n+" ") {
			return true
		}
	}
	return false
}
