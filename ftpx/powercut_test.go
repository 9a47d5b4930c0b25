package ftpx_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// cutPower makes of a part that a download has left what a machine finds that has lost
// its power meanwhile: of what is there, in ranges, keep says how much had reached the
// disk; the rest is zeros, but for the last bytes of each range, which a comparison of
// what is there with what comes would look at. It returns how much is good.
func cutPower(t *testing.T, local string, keep func(n int64) int64) (good int64) {
	t.Helper()
	name := local + ".part.state"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(local+".part", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	boot := "boot"
	ranges := [][2]int64{{0, info.Size()}}
	segments, apart := state["pieces"].([]any)
	if apart {
		boot, ranges = "pieces_boot", nil
		for _, p := range segments {
			p := p.([]any)
			ranges = append(ranges, [2]int64{int64(p[0].(float64)), int64(p[1].(float64))})
		}
	}
	const right = 64 << 10
	var synced [][2]int64
	for _, r := range ranges {
		n := keep(r[1] - r[0])
		good += n
		synced = append(synced, [2]int64{r[0], r[0] + n})
		if zeros := r[1] - r[0] - n - right; zeros <= 0 {
			t.Fatalf("of %v nothing was lost", r)
		} else if _, err := f.WriteAt(make([]byte, zeros), r[0]+n); err != nil {
			t.Fatal(err)
		}
	}
	state[boot] = "another"
	if apart {
		state["synced"] = synced
	} else {
		state["durable"] = good
	}
	if b, err = json.Marshal(state); err == nil {
		err = os.WriteFile(name, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return good
}

func TestPowerCut(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(600 << 10)
		s.Files().Write("f", data, time.Now())
		for _, synced := range []int64{0, 1, 100 << 10} {
			local := filepath.Join(t.TempDir(), "f")
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				if op.Step == memconn.StepData && op.Offset >= 400<<10 {
					return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
				}
				return memconn.Fault{}
			})
			if _, err := c.Download(t.Context(), "f", local, nil); err == nil {
				t.Fatal("it was not refused")
			}
			s.Inject(nil)
			cutPower(t, local, func(int64) int64 { return synced })
			res, err := c.Download(t.Context(), "f", local, nil)
			if err != nil || res.Kept != synced {
				t.Errorf("%d bytes had reached the disk: %+v, %v", synced, res, err)
			}
			wantFile(t, local, data)
			wantNames(t, filepath.Dir(local), "f")
		}
	})
}

// Of a part with gaps, as several connections leave it, each piece has its own end.
func TestPowerCutOfAPartWithGaps(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(900 << 10)
		mtime := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
		s.Files().Write("f", data, mtime)
		local := filepath.Join(t.TempDir(), "f")
		part := make([]byte, 800<<10)
		copy(part, data[:200<<10])
		copy(part[300<<10:], data[300<<10:500<<10])
		copy(part[600<<10:], data[600<<10:800<<10])
		state := `{"remote":"f","size":921600,"mtime":"2025-01-02T03:04:05Z","durable":0,"pieces":[[0,204800],[307200,512000],[614400,819200]]}`
		for name, b := range map[string][]byte{".part": part, ".part.state": []byte(state)} {
			if err := os.WriteFile(local+name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		good := cutPower(t, local, func(n int64) int64 { return n / 2 })
		res, err := c.Download(t.Context(), "f", local, nil)
		if err != nil || res.Kept != good {
			t.Errorf("%d bytes had reached the disk: %+v, %v", good, res, err)
		}
		wantFile(t, local, data)
		wantNames(t, filepath.Dir(local), "f")
	})
}
