package job

import (
	"fmt"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

// Names are those in a folder, and what each was taken for: no file may be put over another
// that the same command has put there. Its zero value has none. It may be used by several
// goroutines.
type Names struct {
	mu sync.Mutex
	by map[string]string
}

// Take takes a name for a source; the same source may take it again. The error is
// [cli.ErrUsage]. where is "here" or "there".
func (n *Names) Take(name, source, where string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if other, ok := n.by[name]; ok && other != source {
		return fmt.Errorf("%w: %s and %s would both be called %s %s", cli.ErrUsage, other, source, name, where)
	}
	if n.by == nil {
		n.by = map[string]string{}
	}
	n.by[name] = source
	return nil
}
