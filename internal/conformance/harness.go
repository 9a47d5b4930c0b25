package conformance

import (
	"context"
	"testing"
)

// T is what the suite uses of *testing.T.
type T interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Failed() bool
	Context() context.Context
	TempDir() string
	Cleanup(func())
	Run(name string, f func(T)) bool
}

// tester makes a *testing.T a [T].
type tester struct{ *testing.T }

func (t tester) Run(name string, f func(T)) bool {
	return t.T.Run(name, func(t *testing.T) { f(tester{t}) })
}
