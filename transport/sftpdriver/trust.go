package sftpdriver

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
)

// trusting keeps two connections of this process from adding two keys for one
// host at the same time.
var trusting sync.Mutex

// trust adds the key of a host that no file knows to the TrustOnFirstUse file.
// The files are read again under the lock: another connection may have added
// the host since, with another key.
func (v *hostVerifier) trust(key ssh.PublicKey) error {
	trusting.Lock()
	defer trusting.Unlock()
	if !slices.Contains(v.files, v.trustFile) && !missing(v.trustFile) {
		v.files = append(v.files, v.trustFile)
	}
	if err := v.read(); err != nil {
		return v.refused(nil, err.Error())
	}
	if v.known.isRevoked(key) != nil || len(v.known.keys)+len(v.known.cas) > 0 {
		file := v.trustFile
		v.trustFile = "" // decide anew, without trusting
		defer func() { v.trustFile = file }()
		return v.check(key)
	}
	line := fmt.Sprintf("%s %s %s\n", hostName(v.host, v.port), key.Type(), base64.StdEncoding.EncodeToString(key.Marshal()))
	if err := appendLine(v.trustFile, line); err != nil {
		return v.errorf(key, "is unknown and could not be added to the TrustOnFirstUse file: %v", err)
	}
	return nil
}

// appendLine adds one line to a file, in one write, after what other programs
// may append at the same time. A last line without its end gets it first.
func appendLine(file, line string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	data := []byte(line)
	last := make([]byte, 1)
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > 0 {
		if _, err := f.ReadAt(last, size-1); err == nil && !bytes.Equal(last, []byte("\n")) {
			data = append([]byte("\n"), data...)
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}
