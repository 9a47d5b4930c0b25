//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package folder

import (
	"errors"
	"fmt"
	"io"
)

func lockSource(string) (io.Closer, error) {
	return nil, fmt.Errorf("%w: %w", errNoLocks, errors.ErrUnsupported)
}
