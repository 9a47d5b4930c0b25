package sftpdriver

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/cpu"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// clientVersion names us in the server's log. RFC 4253 section 4.2 allows no
// minus sign in it.
const clientVersion = "SSH-2.0-go_ftpx"

// aesInHardware says that the processor encrypts AES-GCM by itself: several
// gigabytes a second, against one for ChaCha20 and a fifth of one for AES in
// software, which besides tells its key to whoever shares the cache.
func aesInHardware() bool {
	return cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ ||
		cpu.ARM64.HasAES && cpu.ARM64.HasPMULL ||
		runtime.GOARCH == "arm64" && (runtime.GOOS == "darwin" || runtime.GOOS == "ios" || runtime.GOOS == "windows") ||
		cpu.S390X.HasAES && cpu.S390X.HasAESGCM
}

// DefaultAlgorithms returns what is offered to a server where the [transport.SSH]
// says nothing else, most wanted first: the hybrid of ML-KEM-768 and X25519
// before elliptic curves and those before finite fields of 2048 bits and more;
// ciphers that authenticate (AEAD) first, of those the one that the processor is
// fast at, CTR with a MAC last; no SHA-1 anywhere. Host certificates are offered
// only where an authority is known. PublicKeyAuths are those with which keys and
// certificates log in.
func DefaultAlgorithms() ssh.Algorithms { return algorithmsWith(aesInHardware()) }

func algorithmsWith(aes bool) ssh.Algorithms {
	ciphers := []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305}
	if !aes {
		ciphers = []string{ssh.CipherChaCha20Poly1305, ssh.CipherAES128GCM, ssh.CipherAES256GCM}
	}
	return ssh.Algorithms{
		KeyExchanges: []string{
			ssh.KeyExchangeMLKEM768X25519,
			ssh.KeyExchangeCurve25519, ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
			ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDHGEXSHA256, ssh.KeyExchangeDH14SHA256,
		},
		Ciphers:  append(ciphers, ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR),
		MACs:     []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512},
		HostKeys: append(hostCertAlgorithms(), plainHostKeyAlgorithms()...),

		PublicKeyAuths: withCertificates(ssh.SupportedAlgorithms().PublicKeyAuths),
	}
}

// WeakAlgorithms returns what is known and never offered without
// [transport.SSH.LegacyAlgorithms].
func WeakAlgorithms() ssh.Algorithms {
	a := ssh.InsecureAlgorithms()
	// x/crypto still counts it among the good ones.
	a.MACs = append([]string{ssh.HMACSHA1}, slices.DeleteFunc(a.MACs, func(m string) bool { return m == ssh.HMACSHA1 })...)
	a.PublicKeyAuths = withCertificates(a.PublicKeyAuths)
	return a
}

// onlyByName are weak algorithms that LegacyAlgorithms alone does not bring back:
// they must be listed besides. RC4 leaks what is repeated, and DSA keys of SSH
// have 1024 bits.
var onlyByName = []string{
	ssh.InsecureCipherRC4, ssh.InsecureCipherRC4128, ssh.InsecureCipherRC4256,
	"ssh-dss", "ssh-dss-cert-v01@openssh.com",
}

// offers is what one connection offers.
type offers struct {
	kex, ciphers, macs, hostKeys []string

	hostKeysGiven bool // by the caller
	legacy        bool
}

// config returns the offers as x/crypto takes them.
func (o *offers) config() ssh.Config {
	return ssh.Config{KeyExchanges: o.kex, Ciphers: o.ciphers, MACs: o.macs}
}

// newOffers checks what the caller wants and fills in the defaults.
func newOffers(ep *transport.Endpoint) (*offers, error) {
	s, strong, weak := &ep.SSH, DefaultAlgorithms(), WeakAlgorithms()
	o := &offers{legacy: s.LegacyAlgorithms, hostKeysGiven: s.HostKeyAlgorithms != nil}
	for _, l := range []struct {
		field        string
		want         []string
		strong, weak []string
		out          *[]string
	}{
		{"KeyExchanges", s.KeyExchanges, append(strong.KeyExchanges, curve25519LibSSH), weak.KeyExchanges, &o.kex},
		{"Ciphers", s.Ciphers, strong.Ciphers, weak.Ciphers, &o.ciphers},
		{"MACs", s.MACs, strong.MACs, weak.MACs, &o.macs},
		{"HostKeyAlgorithms", s.HostKeyAlgorithms, strong.HostKeys, weak.HostKeys, &o.hostKeys},
	} {
		var err error
		if *l.out, err = pick(l.field, l.want, l.strong, l.weak, s.LegacyAlgorithms); err != nil {
			return nil, err
		}
	}
	if ep.RequirePostQuantum {
		o.kex = slices.DeleteFunc(o.kex, func(k string) bool { return !postQuantum(k) })
		if len(o.kex) == 0 {
			return nil, errors.New("field SSH.KeyExchanges names no hybrid post-quantum key exchange, and RequirePostQuantum is set: add " +
				ssh.KeyExchangeMLKEM768X25519 + ", or leave KeyExchanges empty")
		}
	}
	return o, nil
}

// curve25519LibSSH is the older name of curve25519-sha256, which x/crypto adds
// by itself.
const curve25519LibSSH = "curve25519-sha256@libssh.org"

// pick returns the wanted algorithms if they may be used, and the defaults if
// nothing is wanted.
func pick(field string, want, strong, weak []string, legacy bool) ([]string, error) {
	if want == nil {
		out := slices.DeleteFunc(slices.Clone(strong), func(a string) bool { return a == curve25519LibSSH })
		if legacy {
			out = append(out, slices.DeleteFunc(slices.Clone(weak), func(a string) bool { return slices.Contains(onlyByName, a) })...)
		}
		return out, nil
	}
	if len(want) == 0 {
		return nil, fmt.Errorf("field SSH.%s is an empty list, with which no connection can be made: name algorithms, or leave it nil", field)
	}
	for _, a := range want {
		switch {
		case slices.Contains(strong, a):
		case slices.Contains(weak, a):
			if !legacy {
				return nil, fmt.Errorf("field SSH.%s names %s, which is weak: remove it, or set SSH.LegacyAlgorithms if the server can do nothing better", field, a)
			}
		default:
			return nil, fmt.Errorf("field SSH.%s names %q, which is not known: use of %s", field, a, strings.Join(strong, ", "))
		}
	}
	return slices.Clone(want), nil
}

// hostKeyAlgorithms are those that this connection offers for a host of which the
// given key types are known. They come first, as in OpenSSH, so that a server with
// several host keys shows the one that is known. The others stay: a server that
// has none of the known keys any more is then reported with the key it shows, not
// as "no common algorithm". Certificates are offered where an authority is known,
// or the caller lists them.
func (o *offers) hostKeyAlgorithms(types []string, authority bool) []string {
	var certs, first, rest []string
	for _, a := range o.hostKeys {
		switch {
		case isCertAlgorithm(a):
			if authority || o.hostKeysGiven {
				certs = append(certs, a)
			}
		case slices.ContainsFunc(types, func(t string) bool { return slices.Contains(algorithmsOfKey(t, true), a) }):
			first = append(first, a)
		default:
			rest = append(rest, a)
		}
	}
	if authority {
		return slices.Concat(certs, first, rest)
	}
	return slices.Concat(first, rest, certs)
}

// plainHostKeyAlgorithms are the host key algorithms, in OpenSSH's order.
func plainHostKeyAlgorithms() []string {
	out := []string{
		ssh.KeyAlgoED25519,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	}
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if !slices.Contains(out, a) && !isCertAlgorithm(a) {
			out = append(out, a)
		}
	}
	return out
}

// hostCertAlgorithms are those of host certificates, in the same order.
func hostCertAlgorithms() []string {
	out := []string{
		ssh.CertAlgoED25519v01,
		ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	}
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if isCertAlgorithm(a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func isCertAlgorithm(name string) bool { return strings.Contains(name, "-cert-v01@") }

// algorithmsOfKey are the signature algorithms of a key type. RSA signs with
// SHA-2 alone (RFC 8332): SHA-1 is broken, and OpenSSH refuses it since 8.8.
func algorithmsOfKey(keyType string, legacy bool) []string {
	switch {
	case keyType == ssh.KeyAlgoRSA && legacy:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	case keyType == ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// postQuantum says whether a key exchange has a post-quantum part.
func postQuantum(kex string) bool {
	return strings.HasPrefix(kex, "mlkem") || strings.HasPrefix(kex, "sntrup")
}
