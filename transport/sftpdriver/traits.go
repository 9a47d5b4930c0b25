package sftpdriver

import (
	"bytes"

	"golang.org/x/crypto/ssh"
)

// traits are what a server is known to do unlike others. Whatever depends on which server
// it is stands here, as data; the zero value is a server of which nothing is known.
type traits struct {
	// readsAhead: it takes a packet behind SSH_FXP_INIT before that has been answered.
	readsAhead bool
	// inOrder: it carries out one request of a session after the other.
	inOrder bool
	// oneStream: a file is moved over one session, from its beginning to its end.
	oneStream bool
}

// servers says by what a server is known: by the beginning of its version string.
var servers = []struct {
	version string
	traits
}{
	// OpenSSH reads in order. It gives a session no window before the subsystem runs, so
	// that INIT itself cannot leave any earlier.
	{"SSH-2.0-OpenSSH_", traits{readsAhead: true, inOrder: true}},
	{"SSH-2.0-mod_sftp", traits{inOrder: true}}, // ProFTPD
	// AWS Transfer Family stores objects in S3: its documentation says that writes of one
	// file over several sessions may fail.
	{"SSH-2.0-AWS_SFTP_", traits{oneStream: true}},
	// Azure Blob Storage appends blocks, and documents the same.
	{"SSH-2.0-AzureSSH_", traits{oneStream: true}},
}

// traitsOf finds a server's traits.
func traitsOf(conn ssh.Conn) traits {
	for _, s := range servers {
		if bytes.HasPrefix(conn.ServerVersion(), []byte(s.version)) {
			return s.traits
		}
	}
	return traits{}
}
