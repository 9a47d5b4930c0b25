package main

import (
	"bytes"
	"embed"
	"fmt"
)

//go:embed testdata/*.txt
var recordings embed.FS

// recorder is a history to be recorded, and what it is.
type recorder struct{ name, says string }

// recordedSources are the files of testdata, which -record makes.
func recordedSources() []recorder {
	return []recorder{
		{"vsftpd-outages", "recorded: vsftpd over FTP behind a fault proxy that plays the outages of weibull"},
		{"openssh-bursts", "recorded: OpenSSH behind a fault proxy that plays bursts"},
		{"proftpd-busy", "recorded: ProFTPD over FTPS with six connections at most, of which others hold a share that changes"},
	}
}

func recorded() ([]source, error) {
	var all []source
	for _, rec := range recordedSources() {
		data, err := recordings.ReadFile("testdata/" + rec.name + ".txt")
		if err != nil {
			return nil, err
		}
		traces, err := readLog(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rec.name, err)
		}
		all = append(all, source{name: rec.name, says: rec.says, traces: traces})
	}
	return all, nil
}
