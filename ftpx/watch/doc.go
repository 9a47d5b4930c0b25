// Package watch copies files as they appear in a folder, locally or on a server.
//
// Start with [Upload] and [Download], which run until their context ends. [Local]
// and [Remote] are the streams they use, for programs that do something else with
// a file: each stream yields every version of a file once, when it is whole.
//
// A local folder is watched with notifications of the operating system, and scanned
// now and then because notifications can get lost. A remote folder is listed
// periodically, less often while nothing changes and after errors.
//
// A stream does not run ahead of its consumer. While the consumer is busy, nothing
// is listed, and only the names of changed files are queued. After a few thousand
// names, a scan of the whole folder replaces the queue. In addition, a stream
// needs about 200 bytes for each file in the folder.
package watch
