// Package wire is the layer below the protocols that both drivers share: sockets that count
// bytes (Wire), operations that own their sockets and have a watchdog and cancellation (Op),
// dialling, and buffers. Read op.go first.
//
// Programs do not need it, nor do authors of their own connections: package transport has the
// contract.
package wire
