// Package sftpdrill moves files to and from SFTP servers with the habits of
// testserver.SFTPHabits, one at a time and in pairs: what cannot be done fails, and what is
// reported as done is done. It holds tests alone.
package sftpdrill
