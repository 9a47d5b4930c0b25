// Package retry decides whether a failed operation is worth another attempt, when
// to make it, and when to give up.
//
// Read in this order: [Class] and [Classify], which judge an error; [Policy], the
// settings; [Policy.Do], the loop; [Error], the result after giving up.
//
// The budget counts attempts without progress. A transfer of 100 GiB over a line
// that drops every 10 MiB needs ten thousand attempts. Each of them gets further
// than the one before, so the transfer finishes. A line that moves nothing is given
// up after ten attempts. Only confirmed bytes count as progress: a file that grew
// on the server, or bytes that were written locally. Bytes that only went into a
// socket count once.
//
// The package knows nothing about files or connections, keeps no state between
// calls, and starts no goroutine. Programs that use ftpx set a [Policy] and read an
// [Error]; they do not need to call Do.
package retry
