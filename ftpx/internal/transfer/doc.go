// Package transfer holds what uploads and downloads have in common: ranges of a file,
// digests, comparing what a server sends with what is here, and the result.
package transfer
