package conformance

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
)

// recorder is a [T] that keeps to itself what fails. Like *testing.T it runs each
// test in a goroutine of its own, which Fatalf and Skipf end.
type recorder struct {
	name   string
	log    *recorded
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex // guards what follows
	cleanups []func()
	failed   bool
}

// recorded is what all tests of a run share.
type recorded struct {
	mu       sync.Mutex
	failures []failure
	passed   []string
}

// failure is one complaint of one test.
type failure struct{ test, text string }

// record runs f and returns what failed in it.
func record(f func(T)) *recorded {
	log := &recorded{}
	(&recorder{log: log}).Run("", f)
	return log
}

// failedTests returns the names of the tests that failed, without their parents.
func (r *recorded) failedTests() []string {
	var names []string
	for _, f := range r.failures {
		if !slices.Contains(names, f.test) {
			names = append(names, f.test)
		}
	}
	return names
}

func (r *recorder) Helper()                   {}
func (r *recorder) Name() string              { return r.name }
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) Context() context.Context  { return r.ctx }
func (r *recorder) Skipf(string, ...any)      { runtime.Goexit() }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...); runtime.Goexit() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	r.failed = true
	r.mu.Unlock()
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.log.failures = append(r.log.failures, failure{r.name, fmt.Sprintf(format, args...)})
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) TempDir() string {
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		r.Fatalf("%v", err)
	}
	r.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (r *recorder) Run(name string, f func(T)) bool {
	sub := &recorder{name: name, log: r.log}
	if r.name != "" {
		sub.name = r.name + "/" + name
	}
	sub.ctx, sub.cancel = context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer sub.finish()
		f(sub)
	}()
	<-done
	return !sub.Failed()
}

func (r *recorder) finish() {
	if p := recover(); p != nil {
		r.Errorf("panic: %v", p)
	}
	r.cancel()
	for {
		r.mu.Lock()
		n := len(r.cleanups)
		if n == 0 {
			r.mu.Unlock()
			break
		}
		f := r.cleanups[n-1]
		r.cleanups = r.cleanups[:n-1]
		r.mu.Unlock()
		f()
	}
	if !r.Failed() {
		r.log.mu.Lock()
		r.log.passed = append(r.log.passed, r.name)
		r.log.mu.Unlock()
	}
}
