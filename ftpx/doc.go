// Package ftpx moves files to and from a server over SFTP, FTPS or FTP. It
// survives what real networks and servers do: connection resets, stalls, lost
// replies, servers that are busy or down for a while, and the death of its own
// process.
//
//	c, err := ftpx.Open(ctx, "ftpx://user@files.example.com/inbox", &ftpx.Options{Password: "..."})
//	if err != nil { ... }
//	defer c.Close()
//	res, err := c.Upload(ctx, "report.csv", "2026/report.csv", nil)
//
// A transfer ends in one of three ways. Done: the error is nil, and the [Result]
// says how the file was checked. Not done: the error is an [*Error] whose Outcome
// is [NotDone]; it says why, and how many bytes arrived. Unknown: Outcome is
// [Unknown]; the transfer may or may not have taken effect. It is never reported
// as success.
//
// Read [Client] first. Then read [Options], whose zero value means the documented
// defaults, [Error] and [Hooks]. This package is not for writing a server. To send
// one server commands of your own, see [Files].Raw and transport/ftpdriver.
package ftpx
