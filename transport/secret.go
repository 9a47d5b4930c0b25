package transport

// Secret is a password or passphrase. It prints as "[secret]" through fmt,
// log, slog and encoding/json, so that a configuration can be logged.
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

// MarshalText is String for encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is, for configuration files.
func (s *Secret) UnmarshalText(text []byte) error { *s = Secret(text); return nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }
