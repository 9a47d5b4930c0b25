package transport

import "fmt"

// Secret is a password or passphrase. It prints as "[secret]" through fmt,
// log, slog and encoding/json, so that a configuration can be logged. Keep it
// in exported fields: fmt looks into unexported ones without asking the type.
type Secret string

// String returns "[secret]", or "" for an empty one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString is String for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// Format is String for every verb: fmt would spell out the value of one that
// does not fit, such as %d.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = f.Write([]byte(text))
}

// MarshalText is String for encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is, for configuration files.
func (s *Secret) UnmarshalText(text []byte) error { *s = Secret(text); return nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }
