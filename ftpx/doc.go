// Package ftpx moves files to and from a server over SFTP, FTPS or FTP and
// survives what real networks and servers do: resets, stalls, lost replies,
// servers that are busy or gone for a while, its own process being killed.
//
//	c, err := ftpx.Open(ctx, "ftpx://user@files.example.com/inbox", &ftpx.Options{Password: "..."})
//	if err != nil { ... }
//	defer c.Close()
//	res, err := c.Upload(ctx, "report.csv", "2026/report.csv", nil)
//
// A transfer ends in one of three ways. Done: the error is nil, and the
// [Result] says how that was checked. Not done: an [*Error] whose Outcome is
// [NotDone] says why and how far it came. Unknown: Outcome is [Unknown]; it may
// or may not have taken effect, and it is never reported as success.
//
// Read [Client] first, then [Options], whose zero value holds every documented
// default, then [Error] and [Hooks]. Do not use this package to write a server,
// or to talk to one server in commands of your own: see transport/ftpdriver for
// raw FTP commands.
package ftpx
