package sftpdriver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errNotHybrid cannot come up, since nothing else was offered; it is there for
// the day when somebody changes the offers.
var errNotHybrid = errors.New("the key exchange has no post-quantum part, which RequirePostQuantum asks for")

// judgeNegotiation explains that both sides have no algorithm in common. Without
// a post-quantum key exchange the kind is KindInsecure and not KindNotOffered,
// although both keep the connection from being used: the server does speak SFTP,
// and what it lacks was asked for. KindNotOffered would let a client go on to its
// next protocol, and whoever can change the server's first, unsigned message could
// choose it.
func (d *dialer) judgeNegotiation(n *ssh.AlgorithmNegotiationError) (transport.Kind, error) {
	theirs := strings.Join(real(n.RequestedAlgorithms), ", ")
	if d.ep.RequirePostQuantum && n.What == "key exchange" {
		return transport.KindInsecure, fmt.Errorf("the server has no hybrid post-quantum key exchange of ours (%s), which RequirePostQuantum asks for: "+
			"it offers %s. OpenSSH has one since 9.9", strings.Join(real(n.SupportedAlgorithms), ", "), transport.Printable(theirs))
	}
	field, weak := "KeyExchanges", WeakAlgorithms()
	list := weak.KeyExchanges
	switch {
	case strings.Contains(n.What, "cipher"):
		field, list = "Ciphers", weak.Ciphers
	case strings.Contains(n.What, "MAC"):
		field, list = "MACs", weak.MACs
	case strings.Contains(n.What, "host key"):
		field, list = "HostKeyAlgorithms", weak.HostKeys
	}
	remedy := "allow one of them in SSH." + field
	if broken := common(n.RequestedAlgorithms, list); len(broken) > 0 && !d.ep.SSH.LegacyAlgorithms {
		remedy = fmt.Sprintf("have it updated; if that cannot be, set SSH.LegacyAlgorithms to allow %s, which is broken or close to it", strings.Join(broken, ", "))
	}
	return transport.KindRefused, fmt.Errorf("%w: the server is too old or too restricted for what may be used: %s", n, remedy)
}

// real leaves out the names by which both sides only announce extensions.
func real(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		return strings.HasPrefix(n, "ext-info-") || strings.HasPrefix(n, "kex-strict-")
	})
}

func common(a, b []string) (out []string) {
	for _, n := range a {
		if slices.Contains(b, n) {
			out = append(out, n)
		}
	}
	return out
}
