package doctor

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// kexInit is what a server offers in SSH_MSG_KEXINIT (RFC 4253 section 7.1), its first
// packet, which is in clear.
type kexInit struct {
	keyExchanges, hostKeys, ciphers, macs []string
}

const (
	msgKexInit = 20
	cookie     = 16
	// longestKexInit bounds the packet: OpenSSH's has some 1,100 bytes.
	longestKexInit = 32 << 10
)

// parseKexInit reads the packet behind the version line. It returns nil where what came is
// not that, or not all of it.
func parseKexInit(head []byte) (version string, k *kexInit) {
	rest := head
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return version, nil
		}
		rest = after
		// Lines may come before the version (RFC 4253 section 4.2).
		if text := string(bytes.TrimRight(line, "\r")); strings.HasPrefix(text, "SSH-") {
			version = text
			break
		}
	}
	if len(rest) < 6 {
		return version, nil
	}
	size, padding := binary.BigEndian.Uint32(rest), int(rest[4])
	if size > longestKexInit || int(size) < padding+2 || len(rest) < 4+int(size) {
		return version, nil
	}
	payload := rest[5 : 4+int(size)-padding]
	if len(payload) < 1+cookie || payload[0] != msgKexInit {
		return version, nil
	}
	payload = payload[1+cookie:]
	var lists [][]string
	for range 8 {
		if len(payload) < 4 {
			return version, nil
		}
		n := binary.BigEndian.Uint32(payload)
		if uint64(n) > uint64(len(payload)-4) {
			return version, nil
		}
		lists = append(lists, names(string(payload[4:4+n])))
		payload = payload[4+n:]
	}
	// Key exchanges, host keys, ciphers and MACs of both directions, of which the second of
	// each is from server to client.
	return version, &kexInit{keyExchanges: lists[0], hostKeys: lists[1], ciphers: lists[3], macs: lists[5]}
}

// names splits a name-list and leaves out the names by which both sides only announce
// extensions.
func names(list string) []string {
	var out []string
	for n := range strings.SplitSeq(list, ",") {
		if n != "" && !strings.HasPrefix(n, "ext-info-") && !strings.HasPrefix(n, "kex-strict-") {
			out = append(out, n)
		}
	}
	return out
}

// hybrids are the key exchanges with a post-quantum part that are offered.
func (k *kexInit) hybrids() (out []string) {
	for _, n := range k.keyExchanges {
		if strings.HasPrefix(n, "mlkem") || strings.HasPrefix(n, "sntrup") {
			out = append(out, n)
		}
	}
	return out
}
