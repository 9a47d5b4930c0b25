//go:build linux

package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ServersEnv names the environment variable with the folder into which packages
// that cannot be installed side by side were unpacked.
const ServersEnv = "FTPX_SERVERS"

// Servers returns the folder for unpacked servers: $FTPX_SERVERS, else
// go-ftpx-servers in the user's cache folder (~/.cache). It holds a tree as in
// the packages: usr/sbin/proftpd, usr/lib/proftpd, usr/sbin/pure-ftpd and so on.
func Servers() string {
	if dir := os.Getenv(ServersEnv); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil { // no HOME, as under some init systems
		cache = "/var/cache"
	}
	return filepath.Join(cache, "go-ftpx-servers")
}

// A kindInfo is how to run a kind.
type kindInfo struct {
	// programs are what it needs, the server itself first, and files what else.
	programs, files []string
	configure       func(s *Server, program string) (command, error)
	// passive: it can be told the ports of passive data connections.
	passive bool
}

// kinds says it of all of them. It does not change.
var kinds = map[Kind]kindInfo{
	VSFTPD:    {[]string{"vsftpd"}, nil, (*Server).configureVSFTPD, true},
	ProFTPD:   {[]string{"proftpd", "openssl"}, nil, (*Server).configureProFTPD, true},
	PureFTPd:  {[]string{"pure-ftpd", "pure-pw", "openssl"}, nil, (*Server).configurePureFTPd, true},
	OpenSSH:   {[]string{"sshd"}, nil, (*Server).configureOpenSSH, false},
	Erlang:    {[]string{"escript"}, nil, (*Server).configureErlang, false},
	Rclone:    {[]string{"rclone"}, nil, (*Server).configureRclone, false},
	PyFTPd:    {[]string{debianPython}, []string{debianModules + "pyftpdlib", debianModules + "OpenSSL"}, (*Server).configurePyFTPd, true},
	Inetutils: {[]string{"busybox-ftpd", "unshare", "mount", "openssl"}, []string{inetutilsProgram()}, (*Server).configureInetutils, false},
	BusyBox:   {[]string{"busybox-ftpd"}, nil, (*Server).configureBusyBox, false},
	AsyncSSH:  {[]string{debianPython}, []string{debianModules + "asyncssh"}, (*Server).configureAsyncSSH, false},
	FTPSrv:    {[]string{"node"}, []string{ftpSrvFolder()}, (*Server).configureFTPSrv, true},
	GoFTP:     {[]string{"goftp-server"}, nil, (*Server).configureGoFTP, true},
	SFTPGo:    {[]string{"sftpgo"}, nil, (*Server).configureSFTPGo, false},
	SFTPGoFTP: {[]string{"sftpgo"}, nil, (*Server).configureSFTPGoFTP, true},
}

// Available returns nil if servers of this kind can be started here, else an
// error that wraps ErrMissing and says what is missing.
func Available(kind Kind) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s: must run as root: %w", kind, ErrMissing)
	}
	needed, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("realserver: unknown kind %q", kind)
	}
	for _, name := range append([]string{"useradd", "chpasswd"}, needed.programs...) { // see ensureAccount
		if _, err := findProgram(name); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	for _, name := range needed.files {
		if _, err := os.Stat(name); err != nil {
			return fmt.Errorf("%s: %w: %w", kind, err, ErrMissing)
		}
	}
	return nil
}

// SSHDEnv names the environment variable that holds the path of another sshd than the
// machine's, such as one of 9.8 or later for [SSHOptions].Penalties.
const SSHDEnv = "FTPX_SSHD"

// findProgram looks in PATH, in the folders for daemons, which an ordinary PATH
// lacks, and in Servers. The result is absolute: sshd insists on it.
func findProgram(name string) (string, error) {
	if other := os.Getenv(SSHDEnv); name == "sshd" && other != "" {
		if info, err := os.Stat(other); err != nil || !filepath.IsAbs(other) || !info.Mode().IsRegular() {
			return "", fmt.Errorf("%s=%s is not the absolute path of a program", SSHDEnv, other)
		}
		return other, nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	unpacked := Servers()
	for _, dir := range []string{
		"/usr/sbin", "/usr/local/sbin", "/sbin",
		filepath.Join(unpacked, "usr/sbin"), filepath.Join(unpacked, "usr/bin"),
	} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("no program %s in PATH, the sbin folders or %s: %w", name, unpacked, ErrMissing)
}

// prefixOf returns the folder above usr/sbin/NAME, so that a server finds the
// modules it was unpacked with.
func prefixOf(program string) string {
	return filepath.Dir(filepath.Dir(filepath.Dir(program)))
}
