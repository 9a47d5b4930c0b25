package sftpdriver

import "testing"

// TestBeginning: text in front of SFTP is told from SFTP, however much of that has come.
func TestBeginning(t *testing.T) {
	for said, want := range map[string]string{
		"":                              "",
		"Welcome to this host\n":        "Welcome to this host",
		"Welcome\n\x00\x00\x00\x09\x02": "Welcome",
		"\x00\x00\x00\x09\x02\x00\x00\x00\x03more of it": "",
		"ab\x00": "",
	} {
		if got := beginning(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}
