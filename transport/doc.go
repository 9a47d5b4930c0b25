// Package transport defines what a file server looks like to the rest of the
// module.
//
// Read in this order: [Conn], the contract that the drivers in
// transport/ftpdriver and transport/sftpdriver implement; [Endpoint], everything
// that a driver needs in order to connect; [Error] and [Kind], how failures are
// named. The sockets of the module's own drivers, with cancellation, the stall
// watchdog and zero-copy, are in transport/internal/wire.
//
// A driver classifies failures and makes no decisions: it does not retry, sleep,
// or choose another protocol. Package retry decides whether an error is worth
// another attempt, and package ftpx decides what to do next. Programs use ftpx.
// Import this package to write a driver, or to compare a [Kind].
package transport
