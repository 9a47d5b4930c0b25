//go:build linux

package realserver

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Account is the unix user that logs in to every server.
const Account = "ftpxtest"

// accountNote is the user's GECOS field. A user of that name without it was
// made by somebody else, and its password is not ours to change.
const accountNote = "go-ftpx tests"

// runFolder holds the locks and the password. Below /run, because only root
// writes there (a name in /tmp could be planted) and because it need not
// outlive a reboot.
const runFolder = "/run/go-ftpx"

// An account is what the configuration files need to know about Account.
type account struct {
	uid, gid int
	password string
}

// ensureAccount creates Account if it is missing and makes sure that its
// password is the one in the password file. Safe to call from several processes
// at once.
func ensureAccount() (account, error) {
	unlock, err := lockFile(filepath.Join(runFolder, "account.lock"))
	if err != nil {
		return account{}, err
	}
	defer unlock()

	u, err := user.Lookup(Account)
	var unknown user.UnknownUserError
	created := errors.As(err, &unknown)
	if created {
		// The shell must be a listed one: vsftpd's PAM stack asks pam_shells.
		// The home folder is one that exists, or sshd complains to every session.
		err = run("", "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/",
			"--shell", "/bin/sh", "--comment", accountNote, Account)
		if err != nil {
			return account{}, err
		}
		u, err = user.Lookup(Account)
	}
	if err != nil {
		return account{}, fmt.Errorf("realserver: user %s: %w", Account, err)
	}
	if u.Name != accountNote {
		return account{}, fmt.Errorf("realserver: a user %s exists that these tests did not create", Account)
	}
	password, err := ensurePassword(created)
	if err != nil {
		return account{}, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("realserver: user %s: %w", Account, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("realserver: user %s: %w", Account, err)
	}
	return account{uid: uid, gid: gid, password: password}, nil
}

// ensurePassword returns Account's password, setting a new random one if there
// is none that is known. The password is random because the machine may run an
// sshd of its own that the world can reach.
func ensurePassword(fresh bool) (string, error) {
	file := filepath.Join(runFolder, "password")
	if !fresh {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			return string(text), nil
		}
	}
	password := rand.Text()
	if err := run(Account+":"+password+"\n", "chpasswd"); err != nil {
		return "", err
	}
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		return "", fmt.Errorf("realserver: %w", err)
	}
	return password, nil
}

// lockFile takes an exclusive lock, waiting for it, and returns the function
// that gives it back. The kernel gives it back too when the process ends.
func lockFile(name string) (unlock func(), err error) {
	f, err := openLock(name)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("realserver: lock %s: %w", name, err)
	}
	return func() { f.Close() }, nil
}

// openLock opens a lock file, creating it and its folder as needed.
func openLock(name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("realserver: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("realserver: %w", err)
	}
	return f, nil
}

// run runs a helper program to its end; what it printed is in the error.
func run(stdin string, name string, args ...string) error {
	_, err := output(stdin, name, args...)
	return err
}

// output is run for programs whose output is wanted.
func output(stdin string, name string, args ...string) (string, error) {
	path, err := findProgram(name)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("realserver: %s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}
