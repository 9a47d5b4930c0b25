package watch

// Notifier is what tests put in place of the system's.
type Notifier interface{ notifier }

// FakeNotifier is a notifier that says what a test has it say.
type FakeNotifier struct {
	Out  chan string
	Dirs map[string]int // how often each was added
	Err  error          // of add
}

func (f *FakeNotifier) add(dir string) error {
	f.Dirs[dir]++
	return f.Err
}
func (f *FakeNotifier) remove(dir string)      { delete(f.Dirs, dir) }
func (f *FakeNotifier) notices() <-chan string { return f.Out }
func (f *FakeNotifier) close()                 { close(f.Out) }

// UseNotifier replaces the system's notifier until undo is called.
func UseNotifier(open func() (Notifier, error)) (undo func()) {
	was := openNotifier
	openNotifier = func() (notifier, error) { return open() }
	return func() { openNotifier = was }
}
