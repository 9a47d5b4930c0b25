//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// build makes the command that users run, as they would make it.
func build(ctx context.Context, dir string) (command string, err error) {
	command = filepath.Join(dir, "ftpx")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", command, "github.com/seed01fc2e40/go-ftpx/examples/ftpx").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build examples/ftpx: %w: %s", err, tail(string(out)))
	}
	return command, nil
}

// settle makes a home folder in which the command finds what it needs to log in, as it
// would in a user's.
func (p *place) settle(home string) error {
	p.home = home
	netrc := fmt.Sprintf("machine %s login %s password %s\n", p.Host, p.User, p.Password)
	files := map[string]string{".netrc": netrc}
	if p.Proto.Protocol == ftpx.SFTP {
		files = map[string]string{".ssh/config": fmt.Sprintf("Host %s\nIdentityFile %s\nUserKnownHostsFile %s\n", p.Host, p.KeyFile, p.KnownHosts)}
	}
	for name, text := range files {
		name = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// shipped is the command of examples/ftpx as users run it: with its defaults, and with
// the user's configuration. Nothing is switched off: partial name, check, rename.
func shipped(j *job) ([]program, error) {
	e := &j.place.endpoint
	scheme, options := "ftp", []string{"--allow-plaintext"}
	remote, folder := j.remote(), arrival
	switch e.Proto.Protocol {
	case ftpx.SFTP:
		scheme, options = "sftp", nil
		remote, folder = j.onServer(), filepath.Join(e.Root, arrival)
	case ftpx.FTPS:
		scheme, options = "ftpes", []string{"--ca", e.CAFile}
	}
	url := func(name string) string { return fmt.Sprintf("%s://%s@%s/%s", scheme, e.User, e.addr(), name) }
	argv := []string{j.rig.command}
	from, to := url(remote), j.local()
	if j.up {
		from, to = to, from
	}
	switch {
	case j.what == session:
		argv = append(argv, "ls", url(folder))
	case j.what == listing:
		argv = append(argv, "ls", url(remote))
	case j.what == manyFiles:
		argv = append(argv, "mirror", "-q", from, to)
	case j.up:
		argv = append(argv, "put", "-q", from, to)
	default:
		argv = append(argv, "get", "-q", from, to)
	}
	argv = append(argv, options...)
	if j.connections > 0 {
		argv = append(argv, fmt.Sprintf("--connections=%d", j.connections))
	}
	return []program{{Argv: argv, Env: []string{"HOME=" + j.place.home}}}, nil
}
