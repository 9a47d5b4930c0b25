package testserver

import (
	"encoding/binary"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
)

// reusing stands between a client and pkg/sftp's server and shows the handles that
// Erlang/OTP's ssh_sftpd would: one that is still open, as soon as three are. As there,
// one request is carried out after the other.
type reusing struct {
	client io.ReadWriter
	reused *atomic.Int64
	server io.ReadWriter // the client's end of a pipe to pkg/sftp's server
	open   []shown       // the last one opened first
}

// shown is an open file: its handle in the server's words and in those of the client.
type shown struct{ real, shown string }

// Packet types (draft-ietf-secsh-filexfer-02 section 3) whose first field is a handle,
// and those that bring or end one.
const (
	fxpClose  = 4
	fxpHandle = 102
	fxpStatus = 101
)

var aboutHandle = map[byte]bool{fxpClose: true, 5: true, 6: true, 8: true, 10: true, 12: true} // READ, WRITE, FSTAT, FSETSTAT, READDIR

// run carries requests over until either side ends.
func (h *reusing) run() error {
	for {
		request, err := readPacket(h.client)
		if err != nil {
			return err
		}
		typ := request[0]
		at := -1
		if aboutHandle[typ] {
			if at = h.find(request); at >= 0 {
				request = withString(request, h.open[at].real)
			}
		}
		if err = writePacket(h.server, request); err != nil {
			return err
		}
		answer, err := readPacket(h.server)
		if err != nil {
			return err
		}
		switch {
		case answer[0] == fxpHandle:
			real, _, _ := cutString(answer[5:])
			name := h.next()
			if slices.ContainsFunc(h.open, func(f shown) bool { return f.shown == name }) {
				h.reused.Add(1)
			}
			h.open = append([]shown{{real, name}}, h.open...)
			answer = withString(answer, name)
		case typ == fxpClose && at >= 0:
			h.open = append(h.open[:at], h.open[at+1:]...)
		}
		if err = writePacket(h.client, answer); err != nil {
			return err
		}
	}
}

// find returns which open file a request is about: of those that share a handle the
// last one.
func (h *reusing) find(request []byte) int {
	handle, _, _ := cutString(request[5:])
	for i, f := range h.open {
		if f.shown == handle {
			return i
		}
	}
	return -1
}

// next is the handle of the next file. new_handle/2 of ssh_sftpd.erl counts up through the
// open ones and meets the last one opened first, so that it is right for two of them.
func (h *reusing) next() string {
	n := 0
	for _, f := range h.open {
		if was, _ := strconv.Atoi(f.shown); was <= n {
			n = was + 1
		}
	}
	return strconv.Itoa(n)
}

// readPacket reads a packet without its length.
func readPacket(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 5 || n > 512<<10 {
		return nil, io.ErrUnexpectedEOF
	}
	packet := make([]byte, n)
	_, err := io.ReadFull(r, packet)
	return packet, err
}

func writePacket(w io.Writer, packet []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...))
	return err
}

// withString exchanges the string behind type and id.
func withString(packet []byte, s string) []byte {
	_, rest, ok := cutString(packet[5:])
	if !ok {
		return packet
	}
	out := append([]byte(nil), packet[:5]...)
	out = append(binary.BigEndian.AppendUint32(out, uint32(len(s))), s...)
	return append(out, rest...)
}
