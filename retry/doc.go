// Package retry decides whether a failed operation is worth another attempt,
// when to make it, and when to give up.
//
// Read in this order: [Class] and [Classify], which judge an error; [Policy],
// the settings; [Policy.Do], the loop; [Error], what is in hand when it gave up.
//
// The budget counts attempts without progress. A transfer of 100 GiB over a
// line that drops every 10 MiB needs ten thousand attempts, each of which gets
// further than the one before, and finishes; a line that moves nothing is given
// up after ten. Progress is what has been confirmed: a file that grew on the
// server, bytes that were written here. Bytes that only went into a socket are
// believed once.
//
// The package knows nothing of files or connections, holds no state between
// calls, and starts no goroutine. Programs that use ftpx set a [Policy] and read
// an [Error]; they have no reason to call Do themselves.
package retry
