package upload

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
)

func TestSpoolReplays(t *testing.T) {
	data := bytes.Repeat([]byte("spool me "), 400<<10) // 3.5 MiB: memory, then file
	for _, stop := range []int{0, 1, spoolMemory - 1, spoolMemory, spoolMemory + 1, len(data)} {
		s := newSpool(iotest.HalfReader(bytes.NewReader(data)), time.Time{}, 0)
		r, err := s.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, int64(stop)); err != nil {
			t.Fatal(err)
		}
		for _, from := range []int64{int64(stop / 2), 0} {
			r, err := s.Open(from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data[from:]) {
				t.Fatalf("stop %d: from %d: %d bytes of %d, error %v", stop, from, len(got), len(data)-int(from), err)
			}
		}
		if s.Size() != int64(len(data)) {
			t.Errorf("size %d after the end", s.Size())
		}
		p := make([]byte, 100)
		for _, at := range []int64{0, spoolMemory - 50, spoolMemory + 5} {
			if _, err := s.ReadAt(p, at); err != nil || !bytes.Equal(p, data[at:at+100]) {
				t.Errorf("ReadAt %d: %v", at, err)
			}
		}
		s.Close()
	}
}

func TestSpoolBound(t *testing.T) {
	s := newSpool(bytes.NewReader(make([]byte, 100)), time.Time{}, 50)
	defer s.Close()
	r, _ := s.Open(0)
	if _, err := io.CopyN(io.Discard, iotest.OneByteReader(r), 60); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(10); !errors.Is(err, transfer.ErrNotRewindable) {
		t.Errorf("open beyond the bound: %v", err)
	}
	if _, err := s.Open(60); err != nil {
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
		s, err := NewSource(tt.r, time.Time{}, 0)
		if err != nil {
			t.Fatal(name, err)
		}
		if s.Size() != tt.size {
			t.Errorf("%s: size %d, want %d", name, s.Size(), tt.size)
		}
		s.Close()
	}
}

// A caller's io.ReadSeeker is used by one goroutine at a time.
func TestSeekerIsReadByMany(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	src, err := NewSource(struct{ io.ReadSeeker }{bytes.NewReader(data)}, time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 50 {
				got, at := make([]byte, 1000), int64(i*1000)
				if _, err := src.ReadAt(got, at); err != nil || !bytes.Equal(got, data[at:][:1000]) {
					t.Errorf("at %d: %v", at, err)
				}
			}
		})
	}
	all.Wait()
}
