package securitydrill

import (
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	overSSH = []ftpx.Protocol{ftpx.SFTP}
	hostKey = []transport.Kind{transport.KindHostKey}
)

// impostor is an SSH server in the place of the good one.
func impostor(signer func(*scene) ssh.Signer) func(*scene) {
	return func(s *scene) {
		srv := s.sftpWith(testserver.SFTPOptions{HostKeys: []ssh.Signer{signer(s)}})
		s.ssh.take(to(srv.Addr().String()))
	}
}

// ofItsOwn is a key that nobody knows.
func ofItsOwn(*scene) ssh.Signer { return must(pki.NewSSHKey()).Signer }

// badly is an impostor with a certificate of the right authority that is not good.
func badly(o pki.SSHCertOptions) func(*scene) {
	return impostor(func(s *scene) ssh.Signer { return s.certified(must(pki.NewSSHKey()), s.hostCA, o) })
}

// byAuthority trusts the hosts that the authority has signed.
func byAuthority(s *scene) { s.knownHosts(pki.KnownHostCA("[127.0.0.1]:*", s.hostCA.Public())) }

var revoked = must(pki.NewSSHKey())

var sshDrills = []drill{
	{name: "SFTP: another host key than the pinned one", protocols: overSSH, attack: impostor(ofItsOwn), kinds: hostKey},
	{name: "SFTP: another host key than in known_hosts", protocols: overSSH, kinds: hostKey, says: "CHANGED",
		prepare: func(s *scene) { s.knownHosts(pki.KnownHost(s.sshAddr(), s.hostKey.Public())) },
		attack:  impostor(ofItsOwn)},
	{name: "SFTP: a revoked host key", protocols: overSSH, kinds: hostKey, says: "revoked",
		prepare: func(s *scene) {
			s.knownHosts(pki.KnownHost(s.sshAddr(), s.hostKey.Public()), pki.KnownHost(s.sshAddr(), revoked.Public()),
				pki.KnownHostRevoked("[127.0.0.1]:*", revoked.Public()))
		},
		attack: impostor(func(*scene) ssh.Signer { return revoked.Signer })},
	{name: "SFTP: a host that known_hosts does not have", protocols: overSSH, only: firstContact, kinds: hostKey,
		prepare: func(s *scene) { s.knownHosts(pki.KnownHost("other.example", s.hostKey.Public())) },
		attack:  impostor(ofItsOwn)},
	{name: "SFTP: a changed key does not pass for a first use", protocols: overSSH, kinds: hostKey, says: "CHANGED",
		prepare: func(s *scene) {
			s.knownHosts(pki.KnownHost(s.sshAddr(), s.hostKey.Public()))
			s.opts.SSH.TrustOnFirstUse = s.opts.SSH.KnownHosts[0]
		},
		attack: impostor(ofItsOwn)},
	{name: "SFTP: a host certificate for another name", protocols: overSSH, hostCert: true, kinds: hostKey,
		prepare: byAuthority, attack: badly(pki.SSHCertOptions{Principals: []string{"other.example"}})},
	{name: "SFTP: a host certificate that has expired", protocols: overSSH, hostCert: true, kinds: hostKey,
		prepare: byAuthority, attack: badly(pki.SSHCertOptions{Principals: []string{"127.0.0.1"},
			NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})},
	{name: "SFTP: a host certificate of another authority", protocols: overSSH, hostCert: true, kinds: hostKey, prepare: byAuthority,
		attack: impostor(func(s *scene) ssh.Signer {
			return s.certified(must(pki.NewSSHKey()), must(pki.NewSSHCA()), pki.SSHCertOptions{Principals: []string{"127.0.0.1"}})
		})},
	{name: "SFTP: a user's certificate as a host's", protocols: overSSH, hostCert: true, kinds: hostKey, prepare: byAuthority,
		attack: impostor(func(s *scene) ssh.Signer {
			key := must(pki.NewSSHKey())
			return must(key.CertSigner(must(s.hostCA.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"127.0.0.1"}}))))
		})},
	{name: "SFTP: a bare key where a certificate is expected", protocols: overSSH, hostCert: true, kinds: hostKey,
		prepare: byAuthority, attack: impostor(ofItsOwn)},
}
