package doctor

import "testing"

// TestSecretsStandAlone: a secret is taken out wherever a server repeats it, and a short one
// does not make holes in words by which it could be read.
func TestSecretsStandAlone(t *testing.T) {
	for _, c := range []struct{ secret, text, want string }{
		{"hunter2", "no hunter2, \"hunter2\" (hunter2)", "no [secret], \"[secret]\" ([secret])"},
		{"hunter2", "xhunter2y", "x[secret]y"},
		{"x", "directory:/nonexistent x", "directory:/nonexistent [secret]"},
		{"p\"w", "530 p\"wp\"w p\"w", "530 p\"wp\"w [secret]"},
		{"#1", "a#1 #1#1 z", "a[secret] [secret][secret] z"},
		{"ü", "für ü", "für [secret]"},
		{"aa", "aaaa aa", "aaaa [secret]"},
	} {
		if got := newHidden(c.secret).clean(c.text); got != c.want {
			t.Errorf("%q out of %q: %q, want %q", c.secret, c.text, got, c.want)
		}
	}
}
