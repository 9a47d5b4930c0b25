package ftpx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/charset"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
)

func checkHost(field, host string) error {
	if host == "" {
		return fmt.Errorf("%s is empty: name the server", field)
	}
	if strings.ContainsAny(host, " \r\n\x00/@[]") {
		return fmt.Errorf("the host %q in %s is not a host name or an address: give it without scheme, user, port and brackets", host, field)
	}
	return nil
}

// withDefaults checks the configuration and fills in what is zero. Errors name
// the field and the remedy.
func (cfg Config) withDefaults() (Config, error) {
	if err := checkHost("Config.Host", cfg.Host); err != nil {
		return cfg, err
	}
	for field, v := range map[string]string{"User": cfg.User, "Base": cfg.Base, "Password": cfg.Password.Reveal()} {
		if strings.ContainsAny(v, "\r\n\x00") {
			return cfg, fmt.Errorf("field Config.%s holds CR, LF or NUL: remove it (a password file often ends with one)", field)
		}
	}
	if len(cfg.Protocols) == 0 {
		cfg.Protocols = []Protocol{SFTP, FTPS, FTPSImplicit}
	}
	seen := map[Protocol]bool{}
	for _, p := range cfg.Protocols {
		if !p.Valid() {
			return cfg, fmt.Errorf("Options.Protocols holds %v: use SFTP, FTPS, FTPSImplicit or FTP", p)
		}
		if seen[p] {
			return cfg, fmt.Errorf("Options.Protocols lists %v twice: remove one", p)
		}
		seen[p] = true
	}
	if len(cfg.Protocols) == 1 && seen[FTP] && !cfg.AllowPlaintext {
		return cfg, errors.New("plain FTP alone is listed but not allowed, because it shows password and files to anyone on the way: list SFTP or FTPS, or set Options.AllowPlaintext")
	}
	if cfg.RequirePostQuantum && seen[FTP] {
		return cfg, errors.New("Options.Protocols lists FTP and Options.RequirePostQuantum is set, but plain FTP has no key exchange: remove one of them")
	}
	if cfg.FTP.Type > FTPTypeASCII {
		return cfg, fmt.Errorf("Options.FTP.Type is %d: use FTPTypeBinary or FTPTypeASCII", cfg.FTP.Type)
	}
	if cfg.FTP.Type == FTPTypeASCII && seen[SFTP] {
		return cfg, errors.New("Options.FTP.Type is FTPTypeASCII, which SFTP does not have: list only FTPS, FTPSImplicit or FTP in Options.Protocols")
	}
	if err := cfg.Ports.check("Options.Ports"); err != nil {
		return cfg, err
	}
	if err := cfg.Limits.check(); err != nil {
		return cfg, err
	}
	if err := cfg.Timeouts.check(); err != nil {
		return cfg, err
	}
	if cfg.Learned != nil {
		if err := new(transport.Learned).Load(cfg.Learned); err != nil {
			return cfg, fmt.Errorf("Options.Learned: %w", err)
		}
	}
	if err := charset.Check(cfg.Charset); err != nil {
		return cfg, fmt.Errorf("Options.Charset: %w", err)
	}
	var err error
	if cfg.Alarms, err = cfg.Alarms.withDefaults(); err != nil {
		return cfg, err
	}
	if err := cfg.checkStandbys(); err != nil {
		return cfg, err
	}
	if err := cfg.checkTLS(); err != nil {
		return cfg, err
	}
	if cfg.Verify > VerifyFull {
		return cfg, fmt.Errorf("Options.Verify is %d: use VerifyAuto, VerifySize or VerifyFull", cfg.Verify)
	}
	if len(cfg.Standbys) > 0 {
		cfg.Timeouts.Stall = orDefault(cfg.Timeouts.Stall, standbyStall)
	}
	cfg.Limits.Conns = orDefault(cfg.Limits.Conns, DefaultMaxConns)
	cfg.Limits.Listing = orDefault(cfg.Limits.Listing, DefaultMaxListing)
	cfg.Timeouts.HeadStart = orDefault(cfg.Timeouts.HeadStart, DefaultHeadStart)
	cfg.Timeouts.RecheckAfter = orDefault(cfg.Timeouts.RecheckAfter, DefaultRecheckAfter)
	cfg.Verify = orDefault(cfg.Verify, VerifyAuto)
	if cfg.SSH.Keyring == nil {
		cfg.SSH.Keyring = new(transport.Keyring)
	}
	if cfg.Connect == nil {
		cfg.Connect = dialDriver
	}
	if cfg.Charset != nil {
		cfg.Connect = inCharset(cfg.Connect)
	}
	return cfg, nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func (cfg *Config) checkStandbys() error {
	for i, s := range cfg.Standbys {
		if err := checkHost(fmt.Sprintf("Options.Standbys[%d].Host", i), s.Host); err != nil {
			return err
		}
		if s.Rank < 0 {
			return fmt.Errorf("Options.Standbys[%d].Rank is %d: use 1 or more, or 0 for its place in the list", i, s.Rank)
		}
		if strings.ContainsAny(s.User+s.Password.Reveal(), "\r\n\x00") {
			return fmt.Errorf("user or password of Options.Standbys[%d] holds CR, LF or NUL: remove it", i)
		}
		if err := s.Ports.check(fmt.Sprintf("Options.Standbys[%d].Ports", i)); err != nil {
			return err
		}
	}
	return nil
}

// checkTLS reports settings for FTPS that no connection could be made with. It reads the
// files of authorities, so that a missing one shows at once.
func (cfg *Config) checkTLS() error {
	if !slices.ContainsFunc(cfg.Protocols, func(p Protocol) bool { return p == FTPS || p == FTPSImplicit }) {
		return nil
	}
	check := func(field, host string, settings TLS) error {
		ep := &Endpoint{Protocol: FTPS, Host: host, TLS: settings, RequirePostQuantum: cfg.RequirePostQuantum}
		_, err := ftpdriver.TLSConfig(ep)
		var own *TransportError
		if errors.As(err, &own) {
			err = own.Err // which begins with the name of the field
		}
		if err != nil {
			return fmt.Errorf("%s.%w", field, err)
		}
		return nil
	}
	if err := check("Options", cfg.Host, cfg.TLS); err != nil {
		return err
	}
	for i, s := range cfg.Standbys {
		if s.TLS == nil {
			continue
		}
		if err := check(fmt.Sprintf("Options.Standbys[%d]", i), s.Host, *s.TLS); err != nil {
			return err
		}
	}
	return nil
}
