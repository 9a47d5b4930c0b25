package sshconfig

import (
	"slices"
	"strings"
)

// What is done about each directive of ssh_config(5), in OpenSSH 10.
const (
	honoured = iota + 1
	refused  // an error, unless its value is one that changes nothing
	ignored  // a comfort, a way to log in that we lack, or a check less that we make all the same
)

// keyword describes a directive.
type keyword struct {
	name string // as documented
	do   int
	// harmless are values, in lower case, with which a refused directive changes
	// nothing here.
	harmless []string
	remedy   string
}

var keywords = func() map[string]keyword {
	m := map[string]keyword{}
	for do, names := range map[int]string{
		honoured: `Host Match Include IgnoreUnknown HostName User Port IdentityFile IdentitiesOnly CertificateFile ProxyJump
			UserKnownHostsFile GlobalKnownHostsFile StrictHostKeyChecking HostKeyAlias KexAlgorithms Ciphers MACs HostKeyAlgorithms
			IdentityAgent ConnectTimeout ServerAliveInterval ServerAliveCountMax AddressFamily PreferredAuthentications
			PasswordAuthentication PubkeyAuthentication KbdInteractiveAuthentication PubkeyAcceptedAlgorithms CASignatureAlgorithms
			RequiredRSASize`,
		ignored: `AddKeysToAgent BatchMode CanonicalDomains CanonicalizeFallbackLocal CanonicalizeMaxDots CanonicalizePermittedCNAMEs
			ChannelTimeout CheckHostIP ClearAllForwardings Compression ConnectionAttempts ControlMaster ControlPath ControlPersist
			DynamicForward EnableEscapeCommandline EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash
			ForkAfterAuthentication ForwardAgent ForwardX11 ForwardX11Timeout ForwardX11Trusted GatewayPorts
			GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange
			GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDns HashKnownHosts HostbasedAcceptedAlgorithms
			HostbasedAuthentication HostbasedKeyTypes IPQoS KbdInteractiveDevices LocalCommand LocalForward LogLevel LogVerbose
			NoHostAuthenticationForLocalhost NumberOfPasswordPrompts ObscureKeystrokeTiming PermitLocalCommand PermitRemoteOpen
			Protocol RekeyLimit RemoteCommand RemoteForward RequestTTY SecurityKeyProvider SendEnv SessionType SetEnv StdinNull
			StreamLocalBindMask StreamLocalBindUnlink SyslogFacility Tag TCPKeepAlive Tunnel TunnelDevice UpdateHostKeys
			UseKeychain VerifyHostKeyDNS VersionAddendum VisualHostKey WarnWeakCrypto XAuthLocation`,
	} {
		for _, name := range strings.Fields(names) {
			m[strings.ToLower(name)] = keyword{name: name, do: do}
		}
	}
	for _, k := range []keyword{
		{name: "ProxyCommand", harmless: []string{"none"}, remedy: "this library runs no commands: use ProxyJump, or set Config.Dial"},
		{name: "ProxyUseFdpass", harmless: []string{"no"}, remedy: "set Config.Dial"},
		{name: "KnownHostsCommand", harmless: []string{"none"}, remedy: "this library runs no commands: put the keys into UserKnownHostsFile"},
		{name: "RevokedHostKeys", harmless: []string{"none"}, remedy: "put the keys into UserKnownHostsFile, as \"@revoked * KEY\""},
		{name: "PKCS11Provider", harmless: []string{"none"}, remedy: "load the key into an agent (ssh-add -s)"},
		{name: "SmartcardDevice", harmless: []string{"none"}, remedy: "load the key into an agent (ssh-add -s)"},
		{name: "CanonicalizeHostname", harmless: []string{"no", "false", "none"}, remedy: "give the full name in HostName"},
		{name: "BindAddress", remedy: "set Config.Dial"},
		{name: "BindInterface", remedy: "set Config.Dial"},
		{name: "RefuseConnection", remedy: "the configuration forbids connections to this host"},
	} {
		k.do = refused
		m[strings.ToLower(k.name)] = k
	}
	return m
}()

// older are former names.
var older = map[string]string{
	"pubkeyacceptedkeytypes":          "pubkeyacceptedalgorithms",
	"rsaminsize":                      "requiredrsasize", // of Red Hat
	"challengeresponseauthentication": "kbdinteractiveauthentication",
	"skeyauthentication":              "kbdinteractiveauthentication",
	"tisauthentication":               "kbdinteractiveauthentication",
	"dsaauthentication":               "pubkeyauthentication",
	"identityfile2":                   "identityfile",
	"hostkeyalias2":                   "hostkeyalias",
	"keepalive":                       "tcpkeepalive",
}

// title returns a keyword as it is documented.
func title(name string) string {
	if k, ok := keywords[name]; ok {
		return k.name
	}
	return name
}

// changesNothing reports whether a refused directive has a value that does no harm.
func (k *keyword) changesNothing(l *line) bool {
	v := strings.ToLower(l.args[0])
	return slices.Contains(k.harmless, v)
}
