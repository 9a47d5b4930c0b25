package main

import (
	"context"
	"os"
	"testing"
)

// interrupted returns a context as a signal leaves it.
func interrupted(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// symlink makes a link, or skips the test where that is not allowed.
func symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip(err)
	}
}
