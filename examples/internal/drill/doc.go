// Package drill rehearses failures: it moves files with a client, breaks the line on this
// side, and measures how long nothing arrived and whether anything acknowledged is missing
// afterwards.
//
// Faults are made by a dial function that refuses, resets and goes silent, so that servers
// are never harmed: real ones see a client that went away. Read [Run], then [Scenarios].
//
// It is here and not beside the library's packages because it needs the project's embedded
// servers, which programs cannot import.
package drill
