package transport

import (
	"errors"
	"strings"
)

// CheckPath refuses what would break out of a command line: CR, LF and NUL
// (RFC 959 ends commands with CRLF; RFC 2640 forbids NUL in names).
func CheckPath(path string) error {
	if path == "" {
		return errors.New("remote path is empty: name a file or folder, \".\" is where relative ones start")
	}
	if strings.ContainsAny(path, "\r\n\x00") {
		return errors.New("remote path holds CR, LF or NUL, which no server takes in a name: rename the file")
	}
	return nil
}
