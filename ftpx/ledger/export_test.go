package ledger

// Commits is how many groups were written, which is how often the disk was synced
// but for what bbolt does when it opens.
func (l *Ledger) Commits() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commits
}

// Break makes every commit fail from now on, as a disk does that has gone.
func (l *Ledger) Break() error { return l.db.Close() }
