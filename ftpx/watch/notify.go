package watch

import (
	"sync"

	"github.com/fsnotify/fsnotify"
)

// notifier tells what changes in local folders. It may lose what it likes, as long as it
// says so, or the folder is looked through now and then.
type notifier interface {
	// add watches a folder, but none in it. It may be called again.
	add(dir string) error
	// remove ends that.
	remove(dir string)
	// notices yields the full paths of what has changed, "" for anything. It is closed
	// by close.
	notices() <-chan string
	close()
}

// systemNotifier is the notifier of the system.
type systemNotifier struct {
	w    *fsnotify.Watcher
	out  chan string
	stop chan struct{}
	done sync.WaitGroup
}

func newSystemNotifier() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	n := &systemNotifier{w: w, out: make(chan string), stop: make(chan struct{})}
	n.done.Go(n.pass)
	return n, nil
}

func (n *systemNotifier) pass() {
	defer close(n.out)
	for {
		var path string
		select {
		case e, ok := <-n.w.Events:
			if !ok {
				return
			}
			if e.Op == fsnotify.Chmod {
				continue // but for its time, which a look now and then finds
			}
			path = e.Name
		case _, ok := <-n.w.Errors:
			if !ok {
				return
			}
			path = "" // notices were lost: anything may have changed
		case <-n.stop:
			return
		}
		select {
		case n.out <- path:
		case <-n.stop:
			return
		}
	}
}

func (n *systemNotifier) add(dir string) error   { return n.w.Add(dir) }
func (n *systemNotifier) remove(dir string)      { _ = n.w.Remove(dir) }
func (n *systemNotifier) notices() <-chan string { return n.out }

func (n *systemNotifier) close() {
	close(n.stop)
	_ = n.w.Close()
	n.done.Wait()
}

// gathered is how many changed paths are held; beyond that the folder is looked through.
const gathered = 4096

// gatherer holds what a notifier has told until somebody asks.
type gatherer struct {
	wake chan struct{} // a token: there is something

	mu    sync.Mutex
	paths map[string]bool
	all   bool // more than paths can say
}

// gather takes notices until they end.
func (g *gatherer) gather(notices <-chan string) {
	for path := range notices {
		g.mu.Lock()
		switch {
		case path == "" || len(g.paths) >= gathered && !g.paths[path]:
			g.all = true
			clear(g.paths)
		case !g.all:
			g.paths[path] = true
		}
		g.mu.Unlock()
		g.poke()
	}
}

func (g *gatherer) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// take returns what has been gathered since the last call.
func (g *gatherer) take() (paths map[string]bool, all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	paths, all = g.paths, g.all
	g.paths, g.all = map[string]bool{}, false
	return paths, all
}
