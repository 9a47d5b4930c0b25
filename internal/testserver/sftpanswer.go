package testserver

import "encoding/binary"

const fxpReaddir = 12

// statusAnswer is an SSH_FXP_STATUS without a text, to the request with this id.
func statusAnswer(id []byte, status uint32) []byte {
	b := binary.BigEndian.AppendUint32(append([]byte{fxpStatus}, id...), status)
	return putString(putString(b, ""), "")
}

// limitsAnswer is the answer to limits@openssh.com (section 4.8 of OpenSSH's PROTOCOL).
func limitsAnswer(id []byte) []byte {
	b := append([]byte{fxpReply}, id...)
	for _, n := range []uint64{largeLimits + 1024, largeLimits, largeLimits, 0} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// aboutPath is a request whose body is a path.
func aboutPath(typ byte, id []byte, name string) []byte {
	return putString(append([]byte{typ}, id...), name)
}

// bareNames is an SSH_FXP_NAME without attributes and long names.
func bareNames(answer []byte) []byte {
	out := append([]byte(nil), answer[:9]...)
	rest := answer[9:]
	for range binary.BigEndian.Uint32(answer[5:]) {
		name, after, ok := cutString(rest)
		if !ok {
			return answer
		}
		_, after, ok = cutString(after)
		if !ok {
			return answer
		}
		if rest, ok = cutAttrs(after); !ok {
			return answer
		}
		out = binary.BigEndian.AppendUint32(putString(putString(out, name), ""), 0)
	}
	return out
}

// withoutPerm is an SSH_FXP_ATTRS without permissions.
func withoutPerm(answer []byte) []byte {
	const perm = 4
	flags := binary.BigEndian.Uint32(answer[5:])
	at := 9
	for _, before := range []uint32{1, 2} { // size; uid and gid
		if flags&before != 0 {
			at += 8
		}
	}
	if flags&perm == 0 || len(answer) < at+4 {
		return answer
	}
	out := binary.BigEndian.AppendUint32(append([]byte(nil), answer[:5]...), flags&^perm)
	return append(append(out, answer[9:at]...), answer[at+4:]...)
}

// cutAttrs takes attributes (section 5 of the draft) off b.
func cutAttrs(b []byte) (rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, false
	}
	flags, n := binary.BigEndian.Uint32(b), 4
	for flag, size := range map[uint32]int{1: 8, 2: 8, 4: 4, 8: 8} {
		if flags&flag != 0 {
			n += size
		}
	}
	if flags&0x80000000 == 0 {
		return b[min(n, len(b)):], n <= len(b)
	}
	if len(b) < n+4 {
		return nil, false
	}
	pairs := binary.BigEndian.Uint32(b[n:])
	rest = b[n+4:]
	for range 2 * uint64(pairs) {
		if _, rest, ok = cutString(rest); !ok {
			return nil, false
		}
	}
	return rest, true
}

func putString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
