package testserver

import (
	"bytes"
	"testing"
)

func TestWithoutExtensions(t *testing.T) {
	packet := []byte("\x00\x00\x00\x20\x02\x00\x00\x00\x03" +
		"\x00\x00\x00\x03one\x00\x00\x00\x011" + "\x00\x00\x00\x03two\x00\x00\x00\x012" + "")
	packet[3] = byte(len(packet) - 4)
	want := []byte("\x00\x00\x00\x11\x02\x00\x00\x00\x03" + "\x00\x00\x00\x03two\x00\x00\x00\x012")
	if got := withoutExtensions(packet, map[string]bool{"one": true}); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// What is not understood stays as it is.
	for _, odd := range [][]byte{nil, packet[:8], packet[:len(packet)-1], []byte("\x00\x00\x00\x05\x65\x00\x00\x00\x03")} {
		if got := withoutExtensions(odd, map[string]bool{"one": true, "two": true}); !bytes.Equal(got, odd) {
			t.Errorf("%q became %q", odd, got)
		}
	}
}
