// Package transport defines what a file server looks like to the rest of the
// module and owns every socket that leads to one.
//
// Read in this order: [Conn], the contract that the drivers in
// transport/ftpdriver and transport/sftpdriver fulfil; [Endpoint], all that a
// driver needs to know to connect; [Error] and [Kind], how a failure is named;
// [Op] and [Wire], where cancellation, the stall watchdog and zero-copy live,
// once for three protocols.
//
// A driver classifies and never decides: it does not retry, sleep, or choose
// another protocol. Package retry judges whether an error is worth another
// attempt, and package ftpx decides what to do about it. Programs use ftpx;
// import this package to write a driver, or to name a [Kind].
package transport
