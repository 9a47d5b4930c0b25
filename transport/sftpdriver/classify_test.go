package sftpdriver

import (
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestKindOfFailure: SSH_FX_FAILURE may be anything, and its text says what. The file's own
// name in it says nothing, and what "was not found" need not be the file: a mirror deletes
// what its source is said not to have.
func TestKindOfFailure(t *testing.T) {
	for _, c := range []struct {
		path, says string
		want       transport.Kind
	}{
		{"f", "", transport.KindTemporary},
		{"f", "Failure", transport.KindTemporary},
		{"f", "open /srv/f: no such file or directory", transport.KindNotExist},
		{"in/f", "File not found", transport.KindNotExist},
		{"in/f", "Not found.", transport.KindNotExist},
		{"f", "The system cannot find the file specified.", transport.KindNotExist},
		{"f", "The system cannot find the path specified.", transport.KindNotExist},
		{"f", "NoSuchKey: The specified key does not exist.", transport.KindNotExist},
		{"f", "NoSuchBucket: The specified bucket does not exist", transport.KindTemporary},
		{"f", "user mapping not found", transport.KindTemporary},
		{"f", "lookup storage.internal: host not found", transport.KindTemporary},
		{"f", "session does not exist", transport.KindTemporary},
		{"f", "Disk quota exceeded", transport.KindQuota},
		{"f", "write /srv/f: no space left on device", transport.KindNoSpace},
		{"f", "/f: Permission denied", transport.KindPermission},
		{"in/quota exceeded.csv", "cannot open in/quota exceeded.csv", transport.KindTemporary},
		{"in/quota exceeded.csv", "cannot open /home/u/In/Quota Exceeded.csv: try it again", transport.KindTemporary},
		{"in/file not found.txt", "open in/file not found.txt: internal error", transport.KindTemporary},
		{"disk full", "disk full: no space left on device", transport.KindNoSpace},
		{"too many connections", "too many connections could not be opened", transport.KindTemporary},
		{"dir/", "dir: directory not empty", transport.KindRefused},
	} {
		if got := kindOfStatus("OPEN", c.path, &statusError{code: fxFailure, msg: c.says}); got != c.want {
			t.Errorf("%q for %q: %v, want %v", c.says, c.path, got, c.want)
		}
	}
}
