// Package sshconfig reads ~/.ssh/config, as ssh(1) does, into the settings of a
// client: so that a program reaches "backup" wherever the user's ssh does, with the
// same keys, the same known hosts and the same jump hosts. Nothing reads it unasked.
//
//	c, err := sshconfig.Open(ctx, "backup", nil)
//
// Who wants to look at the settings, or to change them, reads the files with [Load] and
// makes a configuration with [Config.Reach], or with [Config.Apply] without jump hosts.
//
// The rule is ssh's: the first value of a directive counts, of those in Host and
// Match blocks that fit. Host patterns, Match (all, host, originalhost, user,
// localuser, final, canonical), Include, quoting, %-tokens, ~ and ${VARIABLES} are
// understood.
//
// A directive that applies to the host and changes whom is trusted, how the host is
// reached or what is allowed, and that cannot be honoured, is an error that names
// file and line (ProxyCommand, RevokedHostKeys, Match exec and others). One that
// only adds a comfort or another way to log in is left out and listed in
// [Settings.Ignored].
//
// The parser is this package's own, because a directive that matters and is not
// supported must be an error, not be skipped.
package sshconfig
