// Package watch takes files out of a folder as they appear, local or on a server, and
// copies them.
//
// Begin at [Upload] and [Download], which run until their context ends. [Local] and
// [Remote] are the streams beneath them, for programs that do something else with a
// file: each yields every version of a file once, when it is whole.
//
// A local folder is watched by the system's notices and, because those get lost, looked
// through now and then. A remote one is listed again and again, less often while
// nothing changes and after errors.
//
// A stream finds nothing ahead of its consumer: while the consumer is busy, nothing is
// listed and nothing piles up but the names of changed files, of which a few thousand
// are held before the whole folder is looked through instead. What is held besides is
// some 200 bytes for each file that is in the folder.
package watch
