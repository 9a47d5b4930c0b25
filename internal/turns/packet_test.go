package turns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The packets of SFTP version 3 that are treated in their own way.
const (
	fxpInit          = 1
	fxpOpen          = 3
	fxpClose         = 4
	fxpRead          = 5
	fxpWrite         = 6
	fxpExtended      = 200
	fxpData          = 103
	longestPacket    = 1 << 20
	longestInAPacket = 1 << 16
)

var packetNames = map[byte]string{
	fxpInit: "INIT", fxpOpen: "OPEN", fxpClose: "CLOSE", fxpRead: "READ", fxpWrite: "WRITE", 7: "LSTAT", 8: "FSTAT", 9: "SETSTAT",
	10: "FSETSTAT", 11: "OPENDIR", 12: "READDIR", 13: "REMOVE", 14: "MKDIR", 15: "RMDIR", 16: "REALPATH", 17: "STAT",
	18: "RENAME", 19: "READLINK", 20: "SYMLINK",
}

// A packet is one packet of SFTP, in either direction.
type packet struct {
	raw    []byte
	kind   byte
	id     uint32   // 0 for INIT and VERSION, which have none
	texts  []string // of a request: its leading strings, at most two
	rest   []byte   // of a request: what follows them
	length int      // of READ and WRITE: how many bytes of payload
}

// readPacket reads a packet; request says that it is the client's.
func readPacket(r io.Reader, request bool) (packet, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return packet{}, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 5 || n > longestPacket {
		return packet{}, fmt.Errorf("a packet of %d bytes", n)
	}
	p := packet{raw: make([]byte, 4+n)}
	copy(p.raw, head[:])
	if _, err := io.ReadFull(r, p.raw[4:]); err != nil {
		return packet{}, err
	}
	p.kind = p.raw[4]
	if p.kind > 2 { // INIT and VERSION have no number
		p.id = binary.BigEndian.Uint32(p.raw[5:])
	}
	if !request || p.kind == fxpInit {
		return p, nil
	}
	p.rest = p.raw[9:]
	p.take()
	switch p.kind {
	case fxpRead:
		if len(p.rest) < 12 {
			return packet{}, errors.New("a READ that is too short")
		}
		p.length = int(binary.BigEndian.Uint32(p.rest[8:]))
	case fxpWrite:
		p.length = max(0, len(p.rest)-12)
	case 18, 20, fxpExtended:
		p.take()
		p.take() // of the names of posix-rename
	}
	return p, nil
}

// take takes a string off the rest, if there is one.
func (p *packet) take() {
	if len(p.rest) < 4 {
		return
	}
	n := int(binary.BigEndian.Uint32(p.rest))
	if n > longestInAPacket || len(p.rest)-4 < n {
		return
	}
	p.texts = append(p.texts, string(p.rest[4:4+n]))
	p.rest = p.rest[4+n:]
}

func (p packet) payload() bool { return p.kind == fxpRead || p.kind == fxpWrite }

// stream names the stream of a kind on the handle of a packet.
func (p packet) stream(channel uint32, kind byte) string {
	handle := ""
	if len(p.texts) > 0 {
		handle = p.texts[0]
	}
	return fmt.Sprint(channel, kind, handle)
}

// word names a request.
func (p packet) word() string {
	name, texts := packetNames[p.kind], p.texts
	switch p.kind {
	case fxpExtended:
		if len(texts) > 0 {
			name, texts = texts[0], texts[1:]
		}
	case fxpOpen:
		name = "OPEN for reading"
		if len(p.rest) >= 4 && binary.BigEndian.Uint32(p.rest)&2 != 0 {
			name = "OPEN for writing"
		}
	case fxpClose, fxpRead, fxpWrite, 8, 10, 12:
		texts = nil // a handle
	}
	if name == "" {
		name = fmt.Sprintf("packet %d", p.kind)
	}
	return word(name, texts...)
}
