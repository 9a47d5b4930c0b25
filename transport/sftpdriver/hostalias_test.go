package sftpdriver

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestHostKeyAlias: keys are found, learnt and certified under the alias, without
// the port, and under nothing else.
func TestHostKeyAlias(t *testing.T) {
	ep, ed, _, _ := hostKeyServer(t)
	ep.SSH.HostKeyAlias = "Cluster"
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost("cluster", ed.Public()))}
	dialOK(t, ep)
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost(ep.Addr(), ed.Public()))}
	te := dialFail(t, ep, transport.KindHostKey)
	if !strings.Contains(te.Error(), "ssh-keyscan -p") || !strings.Contains(te.Error(), ep.Host) || !strings.Contains(te.Error(), "s/^[^ ]*/Cluster/") {
		t.Error(te)
	}
	ep.SSH.TrustOnFirstUse = filepath.Join(t.TempDir(), "trusted")
	dialOK(t, ep)
	ep.SSH.TrustOnFirstUse, ep.SSH.KnownHosts = "", []string{ep.SSH.TrustOnFirstUse}
	dialOK(t, ep)
	ep.SSH.HostKeyAlias = ""
	dialFail(t, ep, transport.KindHostKey)

	ca := must(pki.NewSSHCA())
	key := must(pki.NewSSHKey())
	cert := must(key.CertSigner(must(ca.SignHost(key.Public(), pki.SSHCertOptions{Principals: []string{"cluster"}}))))
	_, ep = startServer(t, testserver.SFTPOptions{HostKeys: []ssh.Signer{cert}})
	ep.Password = "password"
	ep.SSH = transport.SSH{KnownHosts: []string{knownHostsFile(t, pki.KnownHostCA("*", ca.Public()))}, HostKeyAlias: "cluster"}
	dialOK(t, ep)
	ep.SSH.HostKeyAlias = "other"
	dialFail(t, ep, transport.KindHostKey)
}
