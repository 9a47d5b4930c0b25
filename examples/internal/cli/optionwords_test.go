package cli

import "testing"

// What the library calls an option is a flag to whoever types commands, also an option in a
// group.
func TestOptionsAreFlags(t *testing.T) {
	for said, want := range map[string]string{
		"a MiB: raise Options.Limits.Listing":                   "a MiB: raise -max-listing",
		"too many: raise Options.Limits.Conns":                  "too many: raise -connections",
		"not allowed: list SFTP, or set Options.AllowPlaintext": "not allowed: list SFTP, or use -allow-plaintext",
	} {
		if got := flagged(said); got != want {
			t.Errorf("%q becomes %q, want %q", said, got, want)
		}
	}
}
