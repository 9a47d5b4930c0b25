// Package transfer holds what uploads and downloads share: ranges of a file, digests, the
// comparison of remote with local bytes, and the result.
package transfer
