package conformance

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func caseInfo(e *env) {
	info := e.c.Info()
	if !info.Protocol.Valid() {
		e.Errorf("Protocol is %v", info.Protocol)
	}
	if _, port, err := net.SplitHostPort(info.Addr); err != nil || port == "" || port == "0" {
		e.Errorf("Addr %q is not host:port", info.Addr)
	}
	if info.Server == "" || strings.ContainsFunc(info.Server, unicode.IsControl) {
		e.Errorf("Server is %q: want a name without control characters", info.Server)
	}
	if info.RoundTrip <= 0 {
		e.Errorf("RoundTrip is %v", info.RoundTrip)
	}
	known := []string{"sha512", "sha256", "sha1", "md5", "crc32"}
	last := -1
	for _, h := range info.Caps.Hashes {
		i := slices.Index(known, h)
		if i <= last {
			e.Errorf("Hashes are %q: want some of %q, in that order", info.Caps.Hashes, known)
		}
		last = i
	}
	s := info.Security
	if (s != nil) != info.Protocol.Secure() {
		e.Fatalf("Security is %+v over %v", s, info.Protocol)
	}
	if s == nil {
		return
	}
	version := "TLS 1."
	if info.Protocol == transport.SFTP {
		version = "SSH 2.0"
	}
	if !strings.HasPrefix(s.Version, version) || s.KeyExchange == "" || s.Cipher == "" || !strings.HasPrefix(s.HostKey, "SHA256:") {
		e.Errorf("Security is not filled in: %+v", *s)
	}
	if info.Protocol.IsFTP() && s.CertificateExpiry.IsZero() {
		e.Errorf("Security has no CertificateExpiry over TLS: %+v", *s)
	}
}

func casePing(e *env) {
	for range 3 {
		e.ok(e.c.Ping(e.ctx), "Ping")
	}
	e.inStep("Ping")
}

func caseStat(e *env) {
	e.put(e.at("file.bin"), random(12345))
	st, err := e.c.Stat(e.ctx, e.at("file.bin"))
	e.ok(err, "Stat of a file")
	if st.Name != "file.bin" || st.Type != transport.TypeFile || st.IsDir() || st.Size != 12345 {
		e.Errorf("Stat of a file of 12345 bytes: %+v", st)
	}
	if e.c.Info().Caps.ExactTimes && (!st.TimeExact || st.ModTime.IsZero()) {
		e.Errorf("Caps.ExactTimes is set, but Stat gives %+v", st)
	}
	if name := e.disk(e.at("file.bin")); name != "" && st.TimeExact {
		info, err := os.Stat(name)
		e.ok(err, "stat on the server's disk")
		if st.ModTime.Unix() != info.ModTime().Unix() {
			e.Errorf("ModTime is %v, on the disk it is %v", st.ModTime, info.ModTime())
		}
	}
	for _, p := range []string{e.dir, ".", e.at(".")} {
		st, err = e.c.Stat(e.ctx, p)
		if err != nil || st.Type != transport.TypeDir || !st.IsDir() {
			e.Errorf("Stat of the folder %q: %+v, %v", p, st, err)
		}
	}
	if st, err = e.c.Stat(e.ctx, e.dir); err != nil || st.Name != e.dir {
		e.Errorf("Stat of the folder %q is called %q (%v)", e.dir, st.Name, err)
	}
	e.inStep("Stat")
}

func caseStatMissing(e *env) {
	e.put(e.at("file"), nil)
	for _, p := range []string{e.at("missing"), e.at("missing/file"), "missing at the top"} {
		st, err := e.c.Stat(e.ctx, p)
		e.fails("Stat of missing "+p, err, transport.KindNotExist)
		if !errors.Is(err, fs.ErrNotExist) {
			e.Errorf("Stat of missing %q: errors.Is(err, fs.ErrNotExist) is false for %v", p, err)
		}
		if st != (transport.Entry{}) {
			e.Errorf("Stat of missing %q returns %+v besides the error", p, st)
		}
		e.inStep("Stat of a missing file")
	}
	_, err := e.c.Stat(e.ctx, e.at("file/below"))
	e.fails("Stat of what lies below a file", err, transport.KindNotExist, transport.KindRefused)
	e.inStep("Stat of what lies below a file")
}

// links makes links to a file of 4321 bytes, to a folder and to nothing.
func (e *env) links() {
	e.Helper()
	if e.opts.Root == "" {
		e.Skipf("a link has to be made on the server's disk, which cannot be reached")
	}
	e.put(e.at("target"), random(4321))
	e.ok(e.c.Mkdir(e.ctx, e.at("folder")), "Mkdir")
	for link, target := range map[string]string{"to-file": "target", "to-folder": "folder", "dangling": "nothing"} {
		if err := os.Symlink(target, e.disk(e.at(link))); err != nil {
			e.Skipf("no links on this disk: %v", err)
		}
	}
}

// Stat follows links.
func caseStatLink(e *env) {
	e.links()
	st, err := e.c.Stat(e.ctx, e.at("to-file"))
	if err != nil || st.Type != transport.TypeFile || st.Size != 4321 || st.Name != "to-file" {
		e.Errorf("Stat of a link to a file of 4321 bytes: %+v, %v", st, err)
	}
	st, err = e.c.Stat(e.ctx, e.at("to-folder"))
	if err != nil || !st.IsDir() {
		e.Errorf("Stat of a link to a folder: %+v, %v", st, err)
	}
	_, err = e.c.Stat(e.ctx, e.at("dangling"))
	e.fails("Stat of a link that leads nowhere", err, transport.KindNotExist)
	e.inStep("Stat of links")
}

// List does not follow them: who removes what a folder holds must not walk out of it.
func caseListLinks(e *env) {
	e.links()
	entries := e.list(e.dir)
	for _, name := range []string{"to-file", "to-folder"} {
		if entry := entries[name]; entry.Name != name || entry.Type != transport.TypeLink {
			e.Errorf("List of a folder with the link %q yields %+v", name, entry)
		}
	}
	// One that leads nowhere is listed as a link, or left out.
	if entry, ok := entries["dangling"]; ok && entry.Type != transport.TypeLink {
		e.Errorf("List of a folder with the link \"dangling\" yields %+v", entry)
	}
	if !entries["folder"].IsDir() || entries["target"].Size != 4321 {
		e.Errorf("beside links, List yields %+v and %+v", entries["folder"], entries["target"])
	}
	e.inStep("List of links")
}
