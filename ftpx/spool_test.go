package ftpx

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestSpoolReplays(t *testing.T) {
	data := bytes.Repeat([]byte("spool me "), 400<<10) // 3.5 MiB: memory, then file
	for _, stop := range []int{0, 1, spoolMemory - 1, spoolMemory, spoolMemory + 1, len(data)} {
		s := newSpool(iotest.HalfReader(bytes.NewReader(data)), &PutOptions{})
		r, err := s.open(0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, int64(stop)); err != nil {
			t.Fatal(err)
		}
		for _, from := range []int64{int64(stop / 2), 0} {
			r, err := s.open(from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data[from:]) {
				t.Fatalf("stop %d: from %d: %d bytes of %d, error %v", stop, from, len(got), len(data)-int(from), err)
			}
		}
		if s.size() != int64(len(data)) {
			t.Errorf("size %d after the end", s.size())
		}
		p := make([]byte, 100)
		for _, at := range []int64{0, spoolMemory - 50, spoolMemory + 5} {
			if _, err := s.ReadAt(p, at); err != nil || !bytes.Equal(p, data[at:at+100]) {
				t.Errorf("ReadAt %d: %v", at, err)
			}
		}
		s.close()
	}
}

func TestSpoolBound(t *testing.T) {
	s := newSpool(bytes.NewReader(make([]byte, 100)), &PutOptions{Spool: 50})
	defer s.close()
	r, _ := s.open(0)
	if _, err := io.CopyN(io.Discard, iotest.OneByteReader(r), 60); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(10); !errors.Is(err, ErrOneAttempt) {
		t.Errorf("open beyond the bound: %v", err)
	}
	if _, err := s.open(60); err != nil {
		t.Errorf("going on where it is needs nothing kept: %v", err)
	}
}

func TestSourceOfReader(t *testing.T) {
	pr, pw := io.Pipe()
	defer pw.Close()
	for name, tt := range map[string]struct {
		r    io.Reader
		size int64
	}{
		"bytes.Reader": {bytes.NewReader(make([]byte, 7)), 7},
		"seeker only":  {struct{ io.ReadSeeker }{bytes.NewReader(make([]byte, 8))}, 8},
		"section":      {io.NewSectionReader(bytes.NewReader(make([]byte, 9)), 2, 5), 5},
		"pipe":         {pr, -1},
		"buffer":       {&bytes.Buffer{}, -1},
	} {
		s, err := newSource(tt.r, &PutOptions{})
		if err != nil {
			t.Fatal(name, err)
		}
		if s.size() != tt.size {
			t.Errorf("%s: size %d, want %d", name, s.size(), tt.size)
		}
		s.close()
	}
}
