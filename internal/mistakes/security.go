package main

func inSecurity() []mistake {
	ssh := []string{"transport/sftpdriver", "internal/securitydrill"}
	ftp := []string{"transport/ftpdriver", "internal/securitydrill", "ftpx"}
	race := []string{"ftpx/internal/session", "ftpx", "internal/securitydrill"}
	return of("security", "", nil, []mistake{{
		name: "revoked-authority", file: "transport/sftpdriver/knownhosts.go", tests: ssh,
		old:  "		if c, ok := key.(*ssh.Certificate); ok && sameKey(c.SignatureKey, k.revoked[i].key) {\n			return &k.revoked[i]\n		}\n",
		new:  "",
		what: "A host certificate is accepted whose authority known_hosts revokes.",
	}, {
		name: "negated-host", file: "transport/sftpdriver/knownhosts.go", tests: ssh,
		old:  "				return false\n			}\n		default:\n			found",
		new:  "				continue\n			}\n		default:\n			found",
		what: "A line of known_hosts counts for a host that it excludes with \"!\".",
	}, {
		name: "any-principal", file: "transport/sftpdriver/knownhosts.go", tests: ssh,
		old:  "return checker.CheckHostKey(net.JoinHostPort(strings.ToLower(host), port), nil, cert)",
		new:  "for _, p := range cert.ValidPrincipals {\n		host = p\n	}\n	return checker.CheckHostKey(net.JoinHostPort(strings.ToLower(host), port), nil, cert)",
		what: "A host certificate of another host is accepted.",
	}, {
		name: "password-echoed", file: "transport/sftpdriver/auth.go", tests: ssh,
		old:  "if echos[i] || l.answered || i > 0 {",
		new:  "if l.answered || i > 0 {",
		what: "The password answers a question whose answer the server shows.",
	}, {
		name: "plain-by-silence", file: "ftpx/internal/session/race.go", tests: race,
		old:  "	if !cands[next].proto.Secure() {\n		return nil, wait\n	}\n",
		new:  "",
		what: "Plain FTP begins when the protected protocols are silent for half a second: whoever drops packets gets the password.",
	}, {
		name: "plain-after-stalling", file: "ftpx/internal/session/race.go", tests: race,
		old:  "if cand.proto.Secure() && cand.answered && transport",
		new:  "if cand.proto.Secure() && !cand.answered && transport",
		what: "Plain FTP is tried where a protected protocol has answered and was then held up.",
	}, {
		name: "clear-behind-auth", file: "transport/ftpdriver/dial.go", tests: ftp,
		old:  "if c.ctl.br.Buffered() > 0 {\n		// A TLS",
		new:  "if c.ctl.br.Buffered() > maxLine {\n		// A TLS",
		what: "What somebody on the way has put behind the answer to AUTH TLS is passed over in silence.",
	}, {
		name: "strange-line-tells", file: "transport/ftpdriver/control.go", tests: ftp,
		old:  "		bad.line = hide(bad.line, c.ep.Password)\n",
		new:  "		_ = bad.line\n",
		what: "A server that repeats the password in a line that is no reply has it printed in the error.",
	}, {
		name: "anybody-connects", file: "transport/ftpdriver/active.go", tests: ftp,
		old:  "			if peer := conn.RemoteAddr().(*net.TCPAddr); !peer.IP.Equal(a.from.IP) {\n				_ = conn.Close()\n				continue\n			}\n",
		new:  "",
		what: "In active mode whoever connects first gets the file, or replaces it.",
	}, {
		name: "link-leads-out", file: "ftpx/folder/links.go", tests: []string{"ftpx/folder"},
		old:  "if depth--; named || depth < 0 {",
		new:  "if depth--; depth < 0 || named && depth < 0 {",
		what: "A link is made whose \"..\" stands behind a name, which another link can lead out of the folder.",
	}, {
		name: "password-for-another", file: "ftpx/connect.go", tests: []string{"ftpx", "internal/securitydrill"},
		old:  `	if h.User != "" || h.Password != "" {`,
		new:  `	if h.Password != "" {`,
		what: "A standby with its own user and no password is sent the password of the first host's user.",
	}})
}
