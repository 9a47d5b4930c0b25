package faultsweep

import (
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// variant is a server and a way to use it, of the sweep in memory.
type variant struct {
	name     string
	protocol ftpx.Protocol
	server   memconn.Options
	opts     options
	// dir is the folder of the destination; with createDirs it is missing.
	dir string
	// sends: the variant makes a difference to uploads alone.
	sends bool
	// notices: payload that was changed on the way is noticed.
	notices bool
}

// variants returns all of them, for both flavours.
func variants() []variant {
	var all []variant
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		add := func(name string, sends bool, change func(*variant, *transport.Caps)) {
			caps := memconn.DefaultCaps(p)
			v := variant{name: name, protocol: p, dir: "in", sends: sends}
			v.server.Chunk = memoryChunk
			change(&v, &caps)
			v.server.Caps = &caps
			all = append(all, v)
		}
		add("", false, func(*variant, *transport.Caps) {})
		add("no replace", true, func(v *variant, c *transport.Caps) { c.ReplaceOnRename = false })
		add("vague, no replace", true, func(v *variant, c *transport.Caps) { c.ReplaceOnRename, v.server.Vague = false, true })
		add("replace refused", true, func(v *variant, c *transport.Caps) { v.server.RefuseReplace = true })
		add("sha256", false, func(v *variant, c *transport.Caps) { c.Hashes, v.notices = []string{"sha256"}, true })
		add("sha256 of ranges", true, func(v *variant, c *transport.Caps) {
			c.Hashes, c.HashRanges, v.notices = []string{"sha256"}, true, true
		})
		add("read back in full", false, func(v *variant, c *transport.Caps) { v.opts.verify, v.notices = ftpx.VerifyFull, true })
		add("locks for 20 s", true, func(v *variant, c *transport.Caps) { v.server.LockFor = 20 * time.Second })
		add("locks for 5 min", true, func(v *variant, c *transport.Caps) { v.server.LockFor = 5 * time.Minute })
		add("NoReplace", false, func(v *variant, c *transport.Caps) { v.opts.noReplace = true })
		add("NoReplace, no replace", true, func(v *variant, c *transport.Caps) { v.opts.noReplace, c.ReplaceOnRename = true, false })
		add("CreateDirs", true, func(v *variant, c *transport.Caps) { v.opts.createDirs, v.dir, v.server.Vague = true, "new/in", true })
		add("no times", false, func(v *variant, c *transport.Caps) { c.SetTime, c.ExactTimes = false, false })
		if p == ftpx.SFTP {
			add("no truncate", true, func(v *variant, c *transport.Caps) { c.Truncate = false })
			add("no truncate, no replace, sha256 of ranges", true, func(v *variant, c *transport.Caps) {
				c.Truncate, c.ReplaceOnRename, c.Hashes, c.HashRanges, v.notices = false, false, []string{"sha256"}, true, true
			})
		} else {
			add("no restart", true, func(v *variant, c *transport.Caps) { v.server.NoRestart = true })
		}
	}
	return all
}

const (
	// memoryChunk and memorySize make a transfer of seven chunks, which is worth
	// going on with.
	memoryChunk = 12 << 10
	memorySize  = 6*memoryChunk + 1
)

// memoryFaults are what befalls an operation in memory, by name.
func memoryFaults() map[string]memconn.Fault {
	all := map[string]memconn.Fault{
		"lost with what was queued": {Do: memconn.LostBefore, Bytes: 3 * memoryChunk},
	}
	for _, a := range memconn.Actions() {
		if a != memconn.Refuse {
			all[a.String()] = memconn.Fault{Do: a}
		}
	}
	for _, k := range []transport.Kind{
		transport.KindTemporary, transport.KindBusy, transport.KindLocked, transport.KindLost, transport.KindProtocol,
		transport.KindRestart, transport.KindRefused, transport.KindNotExist, transport.KindExist, transport.KindPermission,
		transport.KindNoSpace, transport.KindUnsupported,
	} {
		all["refuse: "+k.String()] = memconn.Fault{Do: memconn.Refuse, Kind: k}
	}
	return all
}
