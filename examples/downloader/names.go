package main

import (
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// misleading says what is wrong with a name out of a listing, relative and with
// slashes, or nothing.
func misleading(name string, windows bool) string {
	for element := range strings.SplitSeq(name, "/") {
		if why := transport.MisleadingName(element, windows); why != "" {
			return why
		}
	}
	return ""
}
