// Package conformance holds the one suite of tests that every [transport.Conn]
// passes: the drivers against embedded and real servers, and memconn in its two
// flavours.
//
// Read [Run] and [Options], then the list of cases in cases.go; each case is a
// function in the file of its subject. A case says what the contract of package
// transport says, no more: where servers differ, what is tested is what callers
// may rely on all the same. What a server cannot do is said with a reason in
// [Options].Skip.
//
// The cases see [T], not *testing.T, so that the suite can be run on connections
// that are broken on purpose, to show that it finds out (broken_test.go).
//
// [RunBatches] is the other half: random lists of requests, carried out as one batch
// and one by one, must come to the same. It is run on drivers that are wrong on
// purpose as well (batch_test.go).
//
// Nothing here sleeps: what has to happen in the middle of a transfer is arranged
// by sources and destinations that stop until they are told to go on.
package conformance
