package doctor

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

func TestParsePassive(t *testing.T) {
	for text, want := range map[string]string{
		"Entering Passive Mode (192,0,2,17,78,32)":    "192.0.2.17:20000",
		"Entering Passive Mode. 10,0,0,1,0,21":        "10.0.0.1:21",
		"Entering Passive Mode (127, 0, 0, 1, 1, 2).": "127.0.0.1:258",
		"Entering Passive Mode (1,2,3,4,5)":           "",
		"Entering Passive Mode (1,2,3,4,5,256)":       "",
		"no numbers":                                  "",
	} {
		host, port, ok := parsePASV(reply{227, text})
		got := ""
		if ok {
			got = host + ":" + itoa(port)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if _, _, ok := parsePASV(reply{500, "(1,2,3,4,5,6)"}); ok {
		t.Error("a refusal is taken")
	}
	for text, want := range map[string]int{
		"Entering Extended Passive Mode (|||6446|)": 6446, "(!!!21!)": 21, "(|||0|)": 0, "(|||70000|)": 0, "(|||": 0, "none": 0, "(|1|h|33|)": 33,
	} {
		if got, ok := parseEPSV(reply{229, text}); ok != (want > 0) || ok && got != want {
			t.Errorf("%q: %d %v, want %d", text, got, ok, want)
		}
	}
}

func itoa(n int) string {
	return strings.TrimLeft(string([]byte{byte('0' + n/10000%10), byte('0' + n/1000%10), byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)}), "0")
}

// kexInitOf makes the first bytes of an SSH server.
func kexInitOf(version string, lists ...string) []byte {
	payload := append([]byte{msgKexInit}, make([]byte, cookie)...)
	for _, l := range lists {
		payload = binary.BigEndian.AppendUint32(payload, uint32(len(l)))
		payload = append(payload, l...)
	}
	payload = append(payload, 0, 0, 0, 0, 0)
	padding := 8 - (5+len(payload))%8 + 8
	out := append([]byte(version), binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding))...)
	out = append(out, byte(padding))
	return append(append(out, payload...), make([]byte, padding)...)
}

func TestParseKexInit(t *testing.T) {
	whole := kexInitOf("a notice\r\nSSH-2.0-OpenSSH_9.9\r\n", "mlkem768x25519-sha256,curve25519-sha256,ext-info-s,kex-strict-s-v00@openssh.com", "ssh-ed25519", "aes128-ctr", "aes256-gcm@openssh.com",
		"hmac-a", "hmac-b", "none", "none", "", "")
	version, k := parseKexInit(whole)
	if version != "SSH-2.0-OpenSSH_9.9" || k == nil || !slices.Equal(k.keyExchanges, []string{"mlkem768x25519-sha256", "curve25519-sha256"}) || len(k.hybrids()) != 1 ||
		!slices.Equal(k.ciphers, []string{"aes256-gcm@openssh.com"}) || !slices.Equal(k.macs, []string{"hmac-b"}) {
		t.Fatalf("%q %+v", version, k)
	}
	for n := range whole {
		if _, k := parseKexInit(whole[:n]); k != nil {
			t.Fatalf("taken with %d of %d bytes", n, len(whole))
		}
	}
}

func FuzzParseKexInit(f *testing.F) {
	f.Add(kexInitOf("SSH-2.0-x\r\n", "a", "b", "c", "d", "e", "f", "g", "h"))
	f.Add([]byte("SSH-2.0-x\r\n\xff\xff\xff\xff\x04\x14"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if version, _ := parseKexInit(data); version != "" && !bytes.Contains(data, []byte(version)) {
			t.Errorf("%q is not in it", version)
		}
	})
}

func TestRecordTail(t *testing.T) {
	record := func(kind byte, n int) []byte {
		return append([]byte{kind, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	for name, c := range map[string]struct {
		bytes        []byte
		alert, known bool
	}{
		"TLS 1.2 with":    {append(record(23, 500), record(21, 26)...), true, true},
		"TLS 1.3 with":    {append(record(23, 500), record(23, tls13Alert)...), true, true},
		"without":         {record(23, 500), false, true},
		"cut in a record": {record(23, 500)[:300], false, true},
		"no records":      {[]byte("220 hello, this is FTP in clear\r\n"), false, false},
		"nothing":         {nil, false, false},
	} {
		for _, size := range []int{1, 3, 7, 1 << 16} {
			var r recordTail
			for chunk := range slices.Chunk(c.bytes, size) {
				r.feed(chunk)
			}
			if alert, known := r.alert(); alert != c.alert || known != c.known {
				t.Errorf("%s in chunks of %d: %v %v", name, size, alert, known)
			}
		}
	}
}

func TestSaid(t *testing.T) {
	h := newHidden("pass", "")
	for text, want := range map[string]string{
		"a pass word":                     `"a [secret] word"`,
		"bell\a and \x1b[2J":              `"bell� and �[2J"`,
		"":                                `""`,
		strings.Repeat("ä", 150):          `"` + strings.Repeat("ä", 100) + `..."`,
		strings.Repeat("x", 198) + "pass": `"` + strings.Repeat("x", 198) + `[s..."`,
	} {
		if got := h.said(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
