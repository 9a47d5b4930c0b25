// Package wire is what the drivers have in common beneath their protocols: sockets that count
// (Wire), operations that own their sockets, with a watchdog and cancellation (Op), dialling,
// and buffers. Read op.go first.
//
// Programs, and the authors of connections of their own, need none of it: see package
// transport for the contract.
package wire
