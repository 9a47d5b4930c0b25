package ftpx_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Settings for FTPS that no connection could be made with show before anything is dialled,
// by the name of their field, whichever protocol is tried first.
func TestTLSOptionsAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		opts ftpx.Options
		says string // "" for nothing wrong
	}{
		"none":       {opts: ftpx.Options{}},
		"its own":    {opts: ftpx.Options{TLS: ftpx.TLS{Config: &tls.Config{ServerName: "files.example.com", MinVersion: tls.VersionTLS13}}}},
		"unverified": {opts: ftpx.Options{TLS: ftpx.TLS{Config: &tls.Config{InsecureSkipVerify: true}}}, says: "Options.TLS.Config.InsecureSkipVerify is true"},
		"said twice": {opts: ftpx.Options{TLS: ftpx.TLS{InsecureSkipVerify: true, Config: &tls.Config{InsecureSkipVerify: true}}}},
		"too old":    {opts: ftpx.Options{TLS: ftpx.TLS{Config: &tls.Config{MaxVersion: tls.VersionTLS11}}}, says: "Options.TLS.Config.MaxVersion is TLS 1.1"},
		"old, meant": {opts: ftpx.Options{TLS: ftpx.TLS{LegacyAlgorithms: true, Config: &tls.Config{MaxVersion: tls.VersionTLS11}}}},
		"CA file":    {opts: ftpx.Options{TLS: ftpx.TLS{CAFile: "/no/such/file"}}, says: "Options.TLS.CAFile: open /no/such/file"},
		"standby": {opts: ftpx.Options{Standbys: []ftpx.Standby{{Host: "b"}, {Host: "c", TLS: &ftpx.TLS{Config: &tls.Config{NextProtos: []string{"h2"}}}}}},
			says: `Options.Standbys[1].TLS.Config.NextProtos holds "h2"`},
		"SFTP alone": {opts: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, TLS: ftpx.TLS{CAFile: "/no/such/file"}}},
	} {
		t.Run(name, func(t *testing.T) {
			err := ftpx.Config{Host: "files.example.com", User: "u", Options: tt.opts}.Check()
			switch {
			case tt.says == "":
				if err != nil {
					t.Error(err)
				}
			case err == nil || !strings.Contains(err.Error(), tt.says) || ftpx.KindOf(err) != ftpx.KindInvalid || strings.Contains(err.Error(), "\n"):
				t.Errorf("%v does not say %s", err, tt.says)
			}
		})
	}
}

// Each limit and each time that makes no sense is named.
func TestLimitsAreChecked(t *testing.T) {
	for field, o := range map[string]ftpx.Options{
		"Options.Limits.Conns":       {Limits: ftpx.Limits{Conns: -1}},
		"Options.Limits.Transfers":   {Limits: ftpx.Limits{Transfers: -1}},
		"Options.Limits.Rate":        {Limits: ftpx.Limits{Rate: -1}},
		"Options.Limits.Listing":     {Limits: ftpx.Limits{Listing: -1}},
		"Options.FTP.Type":           {FTP: ftpx.FTPOptions{Type: 7}},
		"Options.Timeouts.Connect":   {Timeouts: ftpx.Timeouts{Connect: -1}},
		"Options.Timeouts.HeadStart": {Timeouts: ftpx.Timeouts{HeadStart: -1}},
	} {
		err := ftpx.Config{Host: "files.example.com", User: "u", Options: o}.Check()
		if err == nil || !strings.Contains(err.Error(), field+" is") || ftpx.KindOf(err) != ftpx.KindInvalid {
			t.Errorf("%s: %v", field, err)
		}
	}
}
