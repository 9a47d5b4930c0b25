//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Addresses of the namespace besides 127.0.0.0/8.
const (
	// deadV6 is assigned, and nothing reaches it.
	deadV6 = "fd99::dead"
	// nobody's name: no reverse look-up of it is answered.
	namelessV4 = "127.0.0.77"
	// otherV4 is another address of this client.
	otherV4 = "127.0.0.78"
)

// furnish makes the namespace a place to work in: a loopback device that treats packets as a
// line does, a resolver that does not answer, and mounts that nobody else sees.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, args := range [][]string{
		// Packets as a line has them: without this the kernel hands on 64 KiB at once.
		{"ip", "link", "set", "lo", "mtu", "1500", "gso_max_segs", "1"},
		{"ip", "link", "set", "lo", "up"},
		{"ip", "-6", "addr", "add", deadV6 + "/128", "dev", "lo"},
		{"nft", "add table inet lab"},
		{"nft", "add chain inet lab in { type filter hook input priority 0; }"},
		{"nft", "add rule inet lab in ip6 daddr " + deadV6 + " drop"},
		{"nft", "add rule inet lab in udp dport 53 drop"},
	} {
		if err := tool(args[0], args[1:]...); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "ftpx-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // the mount keeps the file
	file := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.53\noptions timeout:3 attempts:1\n"), 0o644); err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return err
	}
	if err := unix.Mount(file, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount a resolv.conf: %w", err)
	}
	return nil
}

// tool runs a program of the system.
func tool(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// rule adds filter rules for the time of a set-up, in a table of their own.
func (b *bench) rule(rules ...string) error {
	b.tables++
	table := fmt.Sprintf("s%d_%d", b.number, b.tables)
	script := "add table inet " + table + "\nadd chain inet " + table + " in { type filter hook input priority 1; }\n"
	for _, r := range rules {
		script += "add rule inet " + table + " in " + r + "\n"
	}
	if err := tool("nft", script); err != nil {
		return err
	}
	b.cleanup(func() error { return tool("nft", "delete table inet "+table) })
	return nil
}
