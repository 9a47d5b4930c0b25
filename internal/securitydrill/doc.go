// Package securitydrill shows, in one list of named cases, that no attack on the
// way to a server makes the client send its password or its files in clear.
//
// Run it with
//
//	go test -v ./internal/securitydrill
//
// Each case stands between a client and an embedded server (internal/testserver)
// as an attacker on the line, or as the wrong server, and is played three times:
// against a client that is being opened, and against an upload and a download on
// one that was opened while all was well and whose connections are then reset. A
// tap on every port, data ports included, records what clients send; the servers
// record which passwords they are given. A case of its own shows that the tap
// finds a password where one is sent in clear.
//
// It holds tests alone. Those of one driver (transport/ftpdriver,
// transport/sftpdriver) say more about each case; this package shows them through
// the client, with retries, a pool, a choice of protocols and standbys at work.
package securitydrill
