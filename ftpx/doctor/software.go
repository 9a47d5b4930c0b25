package doctor

import "strings"

// Software is a server program that is known by name.
type Software string

// The server programs for which directives are known.
const (
	VSFTPD    Software = "vsftpd"
	ProFTPD   Software = "ProFTPD"
	PureFTPd  Software = "Pure-FTPd"
	OpenSSH   Software = "sshd"
	FileZilla Software = "FileZilla Server"
	IIS       Software = "IIS"
	AWS       Software = "AWS Transfer"
	Azure     Software = "Azure Storage"
)

// greetings are pieces of what servers say of themselves. What is not here is unknown:
// many servers are told to say nothing of themselves.
var greetings = []struct {
	part     string
	software Software
}{
	{"vsFTPd", VSFTPD},
	{"ProFTPD", ProFTPD},
	{"Pure-FTPd", PureFTPd},
	{"FileZilla Server", FileZilla},
	{"Microsoft FTP Service", IIS},
	{"AWS_SFTP", AWS},
	{"AzureSSH", Azure},
	{"OpenSSH", OpenSSH},
}

// softwareOf tells a server by its greeting and, where that was replaced, by a feature that
// it alone lists.
func softwareOf(greeting, features string) Software {
	for _, g := range greetings {
		if strings.Contains(greeting, g.part) {
			return g.software
		}
	}
	switch {
	case strings.Contains(features, "\nESTA"):
		return PureFTPd
	case strings.Contains(features, "UNIX.group;"):
		return ProFTPD
	}
	return ""
}
