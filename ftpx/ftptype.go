package ftpx

import "fmt"

// FTPType is how files are moved over FTP, see [FTPOptions].Type.
type FTPType uint8

// The types of RFC 959 section 3.1.1 that are supported.
const (
	// FTPTypeBinary, the default: each byte as it is (TYPE I).
	FTPTypeBinary FTPType = iota
	// FTPTypeASCII: text (TYPE A). Line ends, LF or CRLF, are sent as CRLF, of which the server
	// makes its own, and those that come are LF here, on every system.
	FTPTypeASCII
)

// String returns "binary" or "ascii".
func (t FTPType) String() string {
	if t == FTPTypeASCII {
		return "ascii"
	}
	return "binary"
}

// MarshalText writes what String does.
func (t FTPType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what String writes.
func (t *FTPType) UnmarshalText(text []byte) error {
	for _, known := range []FTPType{FTPTypeBinary, FTPTypeASCII} {
		if string(text) == known.String() {
			*t = known
			return nil
		}
	}
	return fmt.Errorf("%q is no type of transfers: binary or ascii", text)
}
