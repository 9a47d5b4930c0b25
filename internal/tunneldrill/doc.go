// Package tunneldrill moves files through every kind of tunnel of
// transport/tunnel to real servers that nothing else leads to: they run in a
// network namespace of their own. It holds tests alone, and those in files with
// the build constraint `linux && realserver`.
package tunneldrill
