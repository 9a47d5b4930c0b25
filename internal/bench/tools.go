//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// openSSH is sftp(1). It has one connection; for many files, as many are started
// as others have connections, each with its share.
func openSSH(j *job) ([]program, error) {
	argv := []string{"sftp", "-q", "-b", "-", "-B", "261120", "-R", "256", "-P", fmt.Sprint(j.place.Port), "-i", j.place.KeyFile, "-F", "none",
		"-o", "UserKnownHostsFile=" + j.place.KnownHosts, "-o", "GlobalKnownHostsFile=none", "-o", "HostKeyAlgorithms=ssh-ed25519",
		"-o", "Ciphers=aes128-gcm@openssh.com", "-o", "Compression=no", "-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey",
		j.place.User + "@" + j.place.Host}
	batch := func(names []string) string {
		var b strings.Builder
		for _, name := range names {
			local, remote := filepath.Join(j.local(), name), path.Join(j.remote(), name)
			if j.up {
				fmt.Fprintf(&b, "put %s %s\n", local, remote)
			} else {
				fmt.Fprintf(&b, "get %s %s\n", remote, local)
			}
		}
		return b.String()
	}
	switch j.what {
	case listing:
		return []program{{Argv: argv, Stdin: "ls -1f " + j.remote() + "\n"}}, nil
	case session:
		return []program{{Argv: argv, Stdin: "pwd\n"}}, nil
	case oneFile:
		return []program{{Argv: argv, Stdin: batch([]string{""})}}, nil
	}
	var all []program
	for _, share := range j.shares(j.conns) {
		all = append(all, program{Argv: argv, Stdin: batch(share)})
	}
	return all, nil
}

// lftp is lftp(1), told to send commands without waiting for each reply.
func lftp(j *job) ([]program, error) { return lftpWith(j, 1) }

// lftpParallel fetches one file over several connections.
func lftpParallel(j *job) ([]program, error) { return lftpWith(j, j.conns) }

func lftpWith(j *job, connections int) ([]program, error) {
	e := &j.place.endpoint
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, "set %s %q\n", name, value) }
	set("cmd:fail-exit", "yes")
	set("net:max-retries", "3")
	set("net:reconnect-interval-base", "1")
	set("net:connection-limit", fmt.Sprint(max(j.conns, 1)))
	set("xfer:clobber", "yes")
	set("mirror:set-permissions", "no")
	set("mirror:parallel-directories", "no")
	url := fmt.Sprintf("ftp://%s", e.addr())
	switch e.Proto.Protocol {
	case ftpx.SFTP:
		url = fmt.Sprintf("sftp://%s", e.addr())
		set("sftp:auto-confirm", "no")
		set("sftp:connect-program", fmt.Sprintf("ssh -a -x -F none -i %s -o UserKnownHostsFile=%s -o GlobalKnownHostsFile=none"+
			" -o HostKeyAlgorithms=ssh-ed25519 -o Ciphers=aes128-gcm@openssh.com -o IdentitiesOnly=yes -o BatchMode=yes", e.KeyFile, e.KnownHosts))
		set("sftp:max-packets-in-flight", "256")
		set("sftp:size-read", "255k")
	case ftpx.FTPS:
		set("ftp:ssl-force", "yes")
		set("ftp:ssl-protect-data", "yes")
		set("ssl:ca-file", e.CAFile)
		set("ftp:sync-mode", "no")
	default:
		set("ftp:ssl-allow", "no")
		set("ftp:sync-mode", "no")
	}
	fmt.Fprintf(&b, "open -u %q,%q %q\n", e.User, e.Password, url)
	switch {
	case j.what == session && e.Proto.Protocol == ftpx.SFTP:
		b.WriteString("cls -d .\n")
	case j.what == session:
		b.WriteString("quote NOOP\n")
	case j.what == listing:
		fmt.Fprintf(&b, "cls -1 --sort=name %s/\n", j.remote())
	case j.what == manyFiles && j.up:
		fmt.Fprintf(&b, "mirror -R --parallel=%d %s %s\n", j.conns, j.local(), j.remote())
	case j.what == manyFiles:
		fmt.Fprintf(&b, "mirror --parallel=%d %s %s\n", j.conns, j.remote(), j.local())
	case j.up:
		fmt.Fprintf(&b, "put %s -o %s\n", j.local(), j.remote())
	case connections > 1:
		fmt.Fprintf(&b, "pget -n %d %s -o %s\n", connections, j.remote(), j.local())
	default:
		fmt.Fprintf(&b, "get %s -o %s\n", j.remote(), j.local())
	}
	b.WriteString("exit\n")
	return []program{{Argv: []string{"lftp", "--norc"}, Stdin: b.String(), Env: []string{"HOME=" + j.rig.dir}}}, nil
}

// curl is curl(1), which reads what to do, password included, from its standard
// input. Many files are moved by one process in parallel, which reuses connections;
// over FTPS by as many processes, since connections of one process hand each other
// TLS sessions that servers refuse.
func curl(j *job) ([]program, error) {
	e := &j.place.endpoint
	base := "ftp://" + e.addr() + "/"
	if e.Proto.Protocol == ftpx.FTPS && j.what == manyFiles && j.conns > 1 {
		var all []program
		for _, share := range j.shares(j.conns) {
			one := *j
			one.conns, one.names = 1, share
			p, err := curl(&one)
			if err != nil {
				return nil, err
			}
			all = append(all, p...)
		}
		return all, nil
	}
	var b strings.Builder
	option := func(name, value string) { fmt.Fprintf(&b, "%s = %q\n", name, value) }
	for _, flag := range []string{"silent", "show-error", "fail"} {
		fmt.Fprintln(&b, flag)
	}
	option("user", e.User+":"+e.Password)
	switch e.Proto.Protocol {
	case ftpx.SFTP:
		base = "sftp://" + e.addr() + e.Root + "/"
		fmt.Fprintln(&b, "insecure") // libssh2 would have to know a host key of a type that it likes
	case ftpx.FTPS:
		fmt.Fprintln(&b, "ssl-reqd")
		option("cacert", e.CAFile)
		if j.what == manyFiles {
			option("tls-max", "1.2") // with TLS 1.3 it runs out of tickets to resume with, and ProFTPD answers 425
		}
		option("ftp-method", "nocwd")
	default:
		option("ftp-method", "nocwd")
	}
	one := func(name string) {
		option("url", base+path.Join(j.remote(), name))
		if j.up {
			option("upload-file", filepath.Join(j.local(), name))
		} else {
			option("output", filepath.Join(j.local(), name))
		}
	}
	switch j.what {
	case session:
		option("url", base)
		fmt.Fprintln(&b, "head")
	case listing:
		option("url", base+j.remote()+"/")
		fmt.Fprintln(&b, "list-only")
	case oneFile:
		one("")
	default:
		if j.conns > 1 {
			fmt.Fprintln(&b, "parallel")
			fmt.Fprintf(&b, "parallel-max = %d\n", j.conns)
		}
		for _, name := range j.names {
			one(name)
		}
	}
	return []program{{Argv: []string{"curl", "-q", "-K", "-"}, Stdin: b.String()}}, nil
}

// rclone is rclone(1) with its checks beyond the size switched off.
func rclone(j *job) ([]program, error) {
	e := &j.place.endpoint
	obscure := exec.Command("rclone", "obscure", "-")
	obscure.Stdin = strings.NewReader(e.Password)
	hidden, err := obscure.Output()
	if err != nil {
		return nil, err
	}
	env := func(name, value string) string { return "RCLONE_CONFIG_B_" + name + "=" + value }
	set := []string{"RCLONE_CONFIG=/dev/null", env("HOST", e.Host), env("USER", e.User), env("PORT", fmt.Sprint(e.Port))}
	switch e.Proto.Protocol {
	case ftpx.SFTP:
		set = append(set, env("TYPE", "sftp"), env("KEY_FILE", e.KeyFile), env("KNOWN_HOSTS_FILE", e.KnownHosts), env("DISABLE_HASHCHECK", "true"),
			env("SHELL_TYPE", "none"), env("CHUNK_SIZE", "255k"), env("CONCURRENCY", "64"), env("CIPHERS", "aes128-gcm@openssh.com"))
	default:
		set = append(set, env("TYPE", "ftp"), env("PASS", strings.TrimSpace(string(hidden))), env("CONCURRENCY", fmt.Sprint(max(j.conns, 1))))
		if e.Proto.Protocol == ftpx.FTPS {
			set = append(set, env("EXPLICIT_TLS", "true"), env("DISABLE_TLS13", "true"), "SSL_CERT_FILE="+e.CAFile)
		}
	}
	from, to := "B:"+j.remote(), j.local()
	if j.up {
		from, to = to, from
	}
	argv := []string{"rclone", "--ignore-checksum", "--retries", "1", "--multi-thread-streams", fmt.Sprint(max(j.conns, 1))}
	switch j.what {
	case session:
		argv = append(argv, "lsf", "--max-depth", "1", "B:"+arrival)
	case listing:
		argv = append(argv, "lsf", "B:"+j.remote())
	case oneFile:
		argv = append(argv, "copyto", from, to)
	default:
		argv = append(argv, "copy", "--transfers", fmt.Sprint(j.conns), "--checkers", fmt.Sprint(j.conns), from, to)
	}
	return []program{{Argv: argv, Env: set}}, nil
}
