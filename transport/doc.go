// Package transport defines what a file server looks like to the rest of the module.
//
// Read in this order: [Conn], the contract that the drivers in
// transport/ftpdriver and transport/sftpdriver fulfil; [Endpoint], all that a
// driver needs to know to connect; [Error] and [Kind], how a failure is named.
// The sockets of the module's own drivers, with cancellation, the stall watchdog
// and zero-copy, once for three protocols, are in transport/internal/wire.
//
// A driver classifies and never decides: it does not retry, sleep, or choose
// another protocol. Package retry judges whether an error is worth another
// attempt, and package ftpx decides what to do about it. Programs use ftpx;
// import this package to write a driver, or to name a [Kind].
package transport
