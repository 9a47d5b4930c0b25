package sftpdriver

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// untyped has a fake answer with attributes that lack the permissions: of the size alone,
// or nothing at all. "dir" is a folder, and so is all that opens says.
func untyped(f *fake, sizes bool, opens func(name string) bool) {
	f.files["dir"] = make([]byte, 4096)
	f.files["file"] = []byte("content")
	attrs := func(name string) []byte {
		if !sizes {
			return make([]byte, 4)
		}
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, attrSize), uint64(len(f.get(name))))
	}
	var mu sync.Mutex
	read := map[string]bool{}
	f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
		switch typ {
		case fxpStat, fxpLstat:
			name := r.string()
			f.mu.Lock()
			_, ok := f.files[name]
			f.mu.Unlock()
			if !ok {
				s.status(id, fxNoSuchFile, "")
			} else {
				s.reply(fxpAttrs, id, attrs(name))
			}
		case fxpOpendir:
			if name := r.string(); name == "." || opens(name) {
				s.reply(fxpHandle, id, putString(nil, "d"+name))
			} else {
				s.status(id, fxFailure, "")
			}
		case fxpReaddir:
			handle := r.string()
			mu.Lock()
			defer mu.Unlock()
			if read[handle] {
				s.status(id, fxEOF, "")
				return true
			}
			read[handle] = true
			b := binary.BigEndian.AppendUint32(nil, 2)
			for _, name := range []string{"dir", "file"} {
				b = append(putString(putString(b, name), ""), attrs(name)...)
			}
			s.reply(fxpName, id, b)
		default:
			return false
		}
		return true
	}
}

// TestUntyped: attributes without a type make no file of a folder: what OPENDIR opens is
// one, unless it opens everything.
func TestUntyped(t *testing.T) {
	onlyDir := func(name string) bool { return name == "dir" }
	for name, c := range map[string]struct {
		sizes bool
		opens func(string) bool
		dir   transport.EntryType
		file  transport.EntryType
	}{
		"sizes":           {true, onlyDir, transport.TypeDir, transport.TypeFile},
		"nothing":         {false, onlyDir, transport.TypeDir, transport.TypeUnknown},
		"opens all":       {true, func(string) bool { return true }, transport.TypeFile, transport.TypeFile},
		"opens all alike": {false, func(string) bool { return true }, transport.TypeUnknown, transport.TypeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, func(f *fake) { untyped(f, c.sizes, c.opens) })
			conn := f.dial(nil)
			for name, want := range map[string]transport.EntryType{"dir": c.dir, "file": c.file} {
				if e, err := conn.Stat(t.Context(), name); err != nil || e.Type != want || e.Name != name {
					t.Errorf("Stat: %+v, %v", e, err)
				}
				link := &transport.Stat{Path: name, NoFollow: true}
				none, stat := &transport.Stat{Path: "none"}, &transport.Stat{Path: name}
				var out bytes.Buffer
				get := &transport.Retrieve{Path: name, Dst: &out}
				get.If = func() bool { return false }
				if err := conn.Do(t.Context(), transport.NewBatch(link, none, stat, get)); err != nil {
					t.Error(err)
				}
				if link.Err != nil || link.Entry.Type != want || link.Entry.Name != name {
					t.Errorf("NoFollow: %+v", link)
				}
				if transport.KindOf(none.Err) != transport.KindNotExist || stat.Err != nil || stat.Entry.Type != want {
					t.Errorf("in one batch: %+v, %+v", none, stat)
				}
				if get.Err != transport.ErrSkipped || out.Len() > 0 {
					t.Errorf("%+v, %d bytes", get, out.Len())
				}
			}
			var names []string
			err := conn.List(t.Context(), ".", func(e transport.Entry) bool {
				if names = append(names, e.Name); e.Type != transport.TypeUnknown {
					t.Errorf("List: %+v, of which nothing was said", e)
				}
				return true
			})
			if err != nil || !slices.Equal(names, []string{"dir", "file"}) {
				t.Errorf("%q, %v", names, err)
			}
			if !conn.Usable() {
				t.Error("the connection is lost")
			}
		})
	}
}

// TestLstat: where a server has no SSH_FXP_LSTAT, SSH_FXP_STAT has to do.
func TestLstat(t *testing.T) {
	f := newFake(t, func(f *fake) { f.files["f"] = []byte("content") })
	conn := f.dial(nil)
	stat := func(p string) (transport.Entry, error) {
		r := &transport.Stat{Path: p, NoFollow: true}
		_ = conn.Do(t.Context(), transport.NewBatch(r))
		return r.Entry, r.Err
	}
	if e, err := stat("f"); err != nil || e.Type != transport.TypeFile || e.Size != 7 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := stat("none"); transport.KindOf(err) != transport.KindNotExist || !strings.Contains(err.Error(), "none") {
		t.Error(err)
	}
}
