package faultproxy

// Ready-made faults. Each is a Fault that may be changed further before use.

// ResetAt resets both sides after n bytes in dir.
func ResetAt(dir Dir, n int64) Fault { return Fault{Kind: Reset, Dir: dir, When: When{Bytes: n}} }

// FINAt ends dir cleanly after n bytes of it.
func FINAt(dir Dir, n int64) Fault { return Fault{Kind: FIN, Dir: dir, When: When{Bytes: n}} }

// StallAt stops both directions after n bytes in dir.
func StallAt(dir Dir, n int64) Fault { return Fault{Kind: Stall, Dir: dir, When: When{Bytes: n}} }

// GarbageAt garbles length bytes of dir from offset n on.
func GarbageAt(dir Dir, n int64, length int) Fault {
	return Fault{Kind: Garbage, Dir: dir, Len: length, When: When{Bytes: n}}
}

// LoseReplyAfter lets lines reply lines through on a plain-text control
// connection, drops everything after them, and then does then.
func LoseReplyAfter(lines int, then Kind) Fault {
	return Fault{Kind: LoseReply, Then: then, When: When{Lines: lines}}
}

// LoseReplyAtDataEnd drops what the server says on a control connection from the
// end of the data connection number skip on, and then does then. It works on
// encrypted control connections.
func LoseReplyAtDataEnd(skip int, then Kind) Fault {
	return Fault{Kind: LoseReply, Then: then, When: When{Data: DataEnded, DataSkip: skip}}
}

// CutDuringData resets a control connection once n bytes went over data
// connection number skip.
func CutDuringData(skip int, n int64) Fault {
	return Fault{Kind: Reset, When: When{Data: DataMoved, DataSkip: skip, DataBytes: n}}
}

// BlackHoled accepts and never forwards, until it is lifted.
func BlackHoled() Fault { return Fault{Kind: BlackHole} }

// Refused accepts and resets at once. A closed port, which never accepts, is
// [Route.Refuse].
func Refused() Fault { return Fault{Kind: Refuse} }

// TooManyConnections is the 421 of an FTP server that is full, in place of its
// greeting. For plain FTP and for explicit TLS, which greets in clear.
func TooManyConnections() Fault {
	return Fault{Kind: Reply, Text: "421 There are too many connections from your internet address.\r\n"}
}

// SweepFaults returns the faults of an operation sweep by name: reset, reset in
// the middle of a chunk (a short write), FIN, stall, garbage, and reply lost with
// a reset and with a stall. Arm each with operation 0, 1, 2 and so on.
func SweepFaults() map[string]Fault {
	return map[string]Fault{
		"reset":            {Kind: Reset},
		"short-write":      {Kind: Reset, Part: 0.5},
		"fin":              {Kind: FIN},
		"stall":            {Kind: Stall},
		"garbage":          {Kind: Garbage},
		"reply-lost":       {Kind: LoseReply, Then: Reset},
		"reply-lost-stall": {Kind: LoseReply, Then: Stall},
	}
}
