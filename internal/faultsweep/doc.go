// Package faultsweep breaks I/O operation 0, 1, 2 and so on of a transfer, with
// each kind of fault, until the transfer runs unbroken, and holds every end
// against what the client said about it. Pairs of faults are sampled from a seed.
//
// Read [Judge] first: what must be true of every case. [Embedded] sweeps the
// client over real sockets, against the servers of internal/testserver behind
// internal/faultproxy; [Memory] sweeps it against internal/memconn under
// testing/synctest, where a case takes no time and the variants are many. Both
// return a [Report], which prints as a table.
//
// The package does not import testing, so that a program can run a sweep too:
//
//	report, err := faultsweep.Embedded(ctx, faultsweep.EmbeddedOptions{})
//
// Numbers of operations are those that the proxy sees, which TCP may cut
// differently in each run: the sweep ends at the first number that no run
// reaches, and a case that failed is repeated by its transfer and fault, not
// exactly by its number.
package faultsweep
