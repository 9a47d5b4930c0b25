// Package folder keeps folders alike: it sends a local folder to a server, or
// fetches one, and moves only what differs.
//
// Read [Upload], [Download] and [Options] first. Each listing is asked for once, no
// file is asked about by itself, and large files go first within a window, several
// at a time. One file that fails does not stop the others: [Options].OnItem is told
// about each, and the [Report] sums up. A second run after a failure, an interrupt
// or a kill does what is left to do; what was under way goes on where it was.
//
// Only whole files are copied where [Options].Ready says how to tell, and [Options].After
// says what becomes of a source that has been: moved away, deleted or marked, but never
// before it is proven to be at the other side. [Single] does the same for one file at a
// time; package watch builds on it.
//
// Memory is that of a few folders' listings and of a window of files, not of the tree:
// some 100 bytes for each entry of the largest folder, besides what the client's own
// listing takes while it is read.
//
// Names that a server lists are hostile input. One that leads out of the local
// folder, or that means something else on this system, is an error of its own item.
//
// It is built on package ftpx's public face alone.
package folder
