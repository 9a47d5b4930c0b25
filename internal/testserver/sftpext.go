package testserver

import (
	"encoding/binary"
	"io"
)

// The extensions that pkg/sftp's server announces.
const (
	extPosixRename = "posix-rename@openssh.com"
	extHardlink    = "hardlink@openssh.com"
	extStatVFS     = "statvfs@openssh.com"
)

// extensionFilter removes extensions from the server's SSH_FXP_VERSION, its
// first packet. pkg/sftp has sftp.SetSFTPExtensions for that, which changes every
// server in the process.
type extensionFilter struct {
	io.ReadWriteCloser

	hidden map[string]bool
	first  []byte // what has come of the first packet
	passed bool   // the first packet is through
}

// Write is called by one goroutine at a time.
func (f *extensionFilter) Write(p []byte) (int, error) {
	if f.passed {
		return f.ReadWriteCloser.Write(p)
	}
	f.first = append(f.first, p...)
	if len(f.first) < 4 || len(f.first)-4 < int(binary.BigEndian.Uint32(f.first)) {
		return len(p), nil
	}
	f.passed = true
	if _, err := f.ReadWriteCloser.Write(withoutExtensions(f.first, f.hidden)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// withoutExtensions returns packet without the hidden extensions; anything but a
// well-formed SSH_FXP_VERSION comes back as it is. Layout: uint32 length, byte
// type, uint32 version, then pairs of strings (draft-ietf-secsh-filexfer-02, 4).
func withoutExtensions(packet []byte, hidden map[string]bool) []byte {
	const header, version = 9, 2
	if len(packet) < header || packet[4] != version {
		return packet
	}
	out := append([]byte(nil), packet[:header]...)
	for rest := packet[header:]; len(rest) > 0; {
		name, afterName, ok := cutString(rest)
		if !ok {
			return packet
		}
		_, afterData, ok := cutString(afterName)
		if !ok {
			return packet
		}
		if !hidden[name] {
			out = append(out, rest[:len(rest)-len(afterData)]...)
		}
		rest = afterData
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// cutString takes an SSH string off b.
func cutString(b []byte) (s string, rest []byte, ok bool) {
	if len(b) < 4 {
		return "", nil, false
	}
	n := int(binary.BigEndian.Uint32(b))
	if n < 0 || n > len(b)-4 {
		return "", nil, false
	}
	return string(b[4 : 4+n]), b[4+n:], true
}
