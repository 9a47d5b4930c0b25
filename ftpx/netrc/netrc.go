// Package netrc finds logins in ~/.netrc, the file of ftp(1), curl and git:
//
//	machine files.example login alice password "two words"
//	machine files.example login bob password correct-horse
//	default login anonymous password me@example
//
// It is read as curl reads it: keywords in any case of letters, words separated by blanks
// and line ends, blanks within double quotes with \" \\ \n \r and \t, lines that begin
// with # as comments, a macdef up to the next empty line, and what is none of this passed
// over ([File].Ignored). In three things it is stricter: a file that others may read is
// refused; a macdef is passed over wherever it stands; and a default that follows an entry
// of the host adds nothing to that.
//
// The password goes to whoever answers under the host's name, so use it with
// protocols that check who that is.
package netrc

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/secrets"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// maxFile bounds the file.
const maxFile = 4 << 20

// An Entry is one machine, or the default, whose Machine is "".
type Entry struct {
	// Machine is the host's name, "" for the default.
	Machine string
	// Login is the user name, "" if the entry has none.
	Login string
	// Password is the password, "" if the entry has none.
	Password transport.Secret
	// Account is for the FTP command ACCT, which this module does not send.
	Account transport.Secret
}

// File is a parsed file. A nil *File holds nothing.
type File struct {
	// Entries are in the order of the file.
	Entries []Entry
	// Ignored tells of words that have no meaning, as "line 3: ...", without showing them:
	// most often the rest of a password with a blank in it, which needs double quotes.
	Ignored []string
}

// Load reads $NETRC, or else .netrc in the home folder (on Windows also _netrc). A
// missing file in the home folder is an empty one; a missing $NETRC is an error.
func Load() (*File, error) {
	if file := os.Getenv("NETRC"); file != "" {
		return LoadFile(file)
	}
	home, err := home()
	if err != nil {
		return nil, fmt.Errorf("netrc: %w: set NETRC to the file's path", err)
	}
	names := []string{".netrc"}
	if runtime.GOOS == "windows" {
		names = append(names, "_netrc")
	}
	for _, name := range names {
		f, err := LoadFile(filepath.Join(home, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return &File{}, nil
}

// home is the home folder: that of $HOME, on Windows too, or else the account's.
func home() (string, error) {
	if dir := os.Getenv("HOME"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserHomeDir()
	if err == nil {
		return dir, nil
	}
	if u, uerr := user.Current(); uerr == nil && u.HomeDir != "" {
		return u.HomeDir, nil
	}
	return "", err
}

// LoadFile reads a file.
func LoadFile(file string) (*File, error) {
	data, err := secrets.ReadPrivate(file, maxFile)
	if err != nil {
		return nil, fmt.Errorf("netrc: %w", err)
	}
	f, err := Parse(string(data))
	if err != nil {
		return nil, fmt.Errorf("netrc: %s: %w", file, err)
	}
	return f, nil
}

// Lookup finds a login for a host: of the first entry for it, in any case of
// letters, that has the user, or any user where none is given; or else of the
// default entry. Of several that fit, the first that has a password. An entry without a
// login counts for every user. ok says that there is one; its password may be empty.
func (f *File) Lookup(host, user string) (login string, password transport.Secret, ok bool) {
	if f == nil || host == "" {
		return "", "", false
	}
	for _, e := range f.Entries {
		switch {
		case e.Machine == "" && ok: // it is for hosts without an entry
			return login, password, ok
		case e.Machine != "" && !strings.EqualFold(e.Machine, host), user != "" && e.Login != "" && e.Login != user:
			if e.Machine == "" { // what follows the default is never reached
				return login, password, ok
			}
			continue
		}
		if !ok {
			login, ok = cmp.Or(e.Login, user), true
		}
		if e.Password != "" || e.Machine == "" {
			return cmp.Or(e.Login, user), e.Password, true
		}
	}
	return login, password, ok
}
