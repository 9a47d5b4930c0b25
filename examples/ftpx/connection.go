package main

// connection is embedded in each command that reaches a server.
type connection struct {
	reaching
	lasting
	loggingIn

	Quiet   bool `short:"q" group:"show" help:"Say nothing unless something fails."`
	Verbose bool `short:"v" group:"show" help:"Show protocol, retries, resumes and skipped files, too."`
}

// reaching is where the server is, and what lies between.
type reaching struct {
	SshConfig string   `short:"F" placeholder:"FILE" group:"how" help:"SSH configuration to read in place of ~/.ssh/config."`
	NoConfig  bool     `group:"how" help:"Read neither SSH configuration nor ~/.netrc, and use neither agent nor default keys."`
	Port      string   `short:"p" placeholder:"PORT" group:"how" help:"Port of the server, where the address has none."`
	Jump      []string `short:"J" sep:"none" placeholder:"HOST" group:"how" help:"Jump hosts to go through, as in ssh -J."`
	Option    []string `short:"o" sep:"none" placeholder:"NAME=VALUE" group:"how" help:"Directive of the SSH configuration, as in ssh -o; may be repeated."`
	Via       []string `sep:"none" placeholder:"URL" group:"how" help:"Proxy to go through, the nearest first: socks5://host, http://host, ssh://user@host; $$FTPX_VIA holds those with passwords."`
	Standby   []string `placeholder:"HOST" group:"how" help:"Host to turn to when the first is away; may be repeated."`

	Protocols        string `placeholder:"NAMES" group:"how" help:"For ftpx:// and host:path, what to try, in order: sftp, ftps, ftps-implicit, ftp."`
	SftpPort         string `placeholder:"PORT" group:"how" help:"Port of SSH for ftpx:// (22)."`
	FtpPort          string `placeholder:"PORT" group:"how" help:"Port of FTP and FTPS for ftpx:// (21)."`
	FtpsPort         string `placeholder:"PORT" group:"how" help:"Port of FTPS for ftpx://, where it is another."`
	FtpsImplicitPort string `placeholder:"PORT" group:"how" help:"Port of implicit FTPS for ftpx:// (990)."`
	AllowPlaintext   bool   `group:"how" help:"Permit plain FTP, which shows password and files to anyone on the way."`
}

// lasting is what the server is like, and what is asked of it.
type lasting struct {
	Charset     string `placeholder:"SET" group:"how" help:"Character set of the server's names, such as gbk or windows-1252 (utf-8)."`
	ListZone    string `placeholder:"ZONE" group:"how" help:"Time zone of an FTP server that lists local time, such as Europe/Berlin (UTC)."`
	MaxListing  string `placeholder:"BYTES" group:"how" help:"Maximum memory for the entries of a remote folder (128M)."`
	Connections string `placeholder:"N" group:"how" help:"Maximum number of connections (8), if the server accepts so many."`
	Rate        string `placeholder:"BYTES" group:"how" help:"Maximum bytes per second, such as 500k or 20M."`
	RetryFor    string `placeholder:"TIME" group:"how" help:"How long to go on without progress, such as 30s or 2h (ten attempts, about a minute and a half)."`
	Stall       string `placeholder:"TIME" group:"how" help:"Silence of the line that counts as a stall (30s)."`
}

// loggingIn is who asks, and who answers.
type loggingIn struct {
	Identity     []string `short:"i" sep:"none" placeholder:"FILE" group:"login" help:"Private key; may be repeated. $$FTPX_PASSPHRASE or a prompt opens it."`
	PasswordFile string   `placeholder:"FILE" group:"login" help:"File that holds the password, in place of $$FTPX_PASSWORD, ~/.netrc and the prompt."`
	KnownHosts   []string `sep:"none" placeholder:"FILE" group:"login" help:"known_hosts file, in place of the configured ones; may be repeated."`
	HostKey      []string `sep:"none" placeholder:"SHA256:..." group:"login" help:"Fingerprint that the host key must have, as ssh-keygen -l prints it."`
	Tofu         string   `placeholder:"FILE" group:"login" help:"known_hosts file to which the key of an unknown host is added."`
	Ca           string   `placeholder:"FILE" group:"login" help:"PEM file of certificate authorities to trust."`
}
