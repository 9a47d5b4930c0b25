// Package folder makes one folder equal to another: it sends a local folder to a
// server, or fetches one from it, and moves only the files that differ.
//
// Read [Upload], [Download] and [Options] first. Each folder is listed once, no
// file costs a question of its own, and several files move at a time, large ones
// first within a window. A file that fails does not stop the others:
// [Options].OnItem is called for each file, and the [Report] sums up. After a
// failure, an interrupt or a kill, the next run does the remaining work and
// resumes interrupted transfers.
//
// [Options].Ready says how to tell that a file is whole; only whole files are
// copied. [Options].After says what happens to a source that was copied: it can be
// moved, deleted or marked, but only after the copy was proven. [Single] does the
// same for one file at a time; package watch builds on it.
//
// A job needs memory for the listings of a few folders and for a window of files,
// not for the whole tree: about 100 bytes for each entry of the largest folder,
// plus the memory that the client needs while it reads a listing.
//
// Names in a server's listing are hostile input. A name that leads out of the
// local folder, or that means something else on this system, is an error of its
// own item.
//
// This package uses only the public API of package ftpx.
package folder
