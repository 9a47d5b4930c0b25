// Mistakes plants mistakes in the code, one at a time, and shows which tests notice them.
//
//	go run ./internal/mistakes                        all of them, one to two hours
//	go run ./internal/mistakes -run 'session|retry'   those whose name matches
//	go run ./internal/mistakes -list                  what they are
//
// Each is one that an engineer might make in a hurry: a comparison off by one, a state that
// is not reset, an error dropped, two steps in the wrong order, a check skipped. A mistake is
// the text of a file that is replaced, and what replaces it. The compiler is given the
// changed file in place of the one in the checkout (go build -overlay), so that no file of
// the checkout changes. Then the tests run of the packages that are named with the mistake,
// one package after the other, until one fails. With -all the tests of the whole module run.
//
// A mistake whose text is not there, or that does not compile, is an error of the list. The
// package's own test, which compiles nothing of that, finds the first kind.
//
// The command ends with 1 if a mistake was not noticed, or the list has an error.
package main
