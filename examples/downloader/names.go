package main

import "strings"

// misleading says what is wrong with a name out of a listing, relative and with
// slashes, or nothing. Windows has rules of its own, which go by the name, not by
// what the file system then does.
func misleading(name string, windows bool) string {
	if name == "" {
		return "is empty"
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return "holds control characters"
		}
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case element == "", element == ".", element == "..":
			return "would lead out of the folder"
		case !windows:
		case strings.ContainsAny(element, `\:`):
			return "names a drive, a stream or a path on Windows"
		case strings.ContainsAny(element, `<>"|?*`):
			return "holds characters that Windows allows in no name"
		case strings.HasSuffix(element, ".") || strings.HasSuffix(element, " "):
			return "ends in a dot or a space, which Windows leaves out"
		case device(element):
			return "is a device on Windows"
		}
	}
	return ""
}

// device reports whether Windows takes a name for a device, whatever its
// extension: "nul.txt" is NUL. Superscript digits count as digits.
func device(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(base, port); ok && strings.Contains(" 0 1 2 3 4 5 6 7 8 9 ¹ ² ³ ", " "+n+" ") && n != "" {
			return true
		}
	}
	return false
}
