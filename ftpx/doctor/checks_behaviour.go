package doctor

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// littleSpace is where a disk is called full soon.
	littleSpace = 64 << 20
	// clockOff is what a clock may be wrong by; a slow upload is within it.
	clockOff = time.Minute
	// zoneStep is what time zones differ by.
	zoneStep = 15 * time.Minute
)

var behaviourChecks = []check{
	{Check: Check{Code: "idle-short", Layer: Behaviour, OnRequest: true, Title: "the server ends idle sessions early", Symptom: "421 at the first command after a pause",
		Remedy: "raise the server's timeout, or keep connections alive; the library logs in again by itself",
		Directives: map[Software]string{VSFTPD: "idle_session_timeout", ProFTPD: "TimeoutIdle", PureFTPd: "-I (MaxIdleTime)", OpenSSH: "ClientAliveInterval, ChannelTimeout", AWS: "1800 s, fixed",
			IIS: "controlChannelTimeout", FileZilla: "Limits, timeouts"}},
		needs: atServed, applies: isFTP, judge: func(s *seen) judgement {
			if a := &s.asked; a.idleTried && a.idleReply.code == 421 {
				return warn("within %s without a word the server said %s", took(a.idleTook), s.hide.said(a.idleReply.line()))
			}
			return judgement{}
		}},
	{Check: Check{Code: "no-restart", Layer: Behaviour, Title: "transfers cannot be continued", Symptom: "each loss costs the whole file again",
		Remedy:     "let the server read and write from an offset (FTP: REST before RETR and STOR); without it the library begins anew",
		Directives: map[Software]string{ProFTPD: "AllowStoreRestart on, AllowRetrieveRestart on", VSFTPD: "cmds_denied"}},
		needs: atServed, judge: func(s *seen) judgement {
			t := &s.scratch
			switch {
			case isFTP(s) && s.ftp.rest.code >= 400:
				return warn("REST was answered %s", s.hide.said(s.ftp.rest.line()))
			case t.resumeGet != nil || t.resumePut != nil:
				j := warn("tried in the scratch folder")
				if t.resumeGet != nil {
					j = j.and("a download from the middle: %s", s.hide.failed(t.resumeGet))
				}
				if t.resumePut != nil {
					j = j.and("an upload that goes on: %s", s.hide.failed(t.resumePut))
				}
				return j
			case t.tried && t.err == nil && t.storeErr == nil:
				return ok("proven both ways: a download from the middle, and an upload in two parts, byte for byte")
			case isFTP(s) && s.ftp.rest.code == 350:
				return ok("REST is taken; whether it is heeded, a scratch folder tells")
			}
			return judgement{}
		}},
	{Check: Check{Code: "no-rename", Layer: Behaviour, OnRequest: true, Title: "a rename does not replace a file", Symptom: "550 at the end of an upload whose name is taken",
		Remedy:     "let the server overwrite; the library moves the old file aside where it must",
		Directives: map[Software]string{ProFTPD: "AllowOverwrite on", PureFTPd: "without -r (AutoRename)"}},
		needs: atServed, judge: func(s *seen) judgement {
			t := &s.scratch
			switch {
			case !t.tried || t.err != nil || t.storeErr != nil:
				return judgement{}
			case t.rename != nil:
				return fail("no rename works: uploads cannot be given their names, unless they are sent to them (DeliverDirect, --delivery direct); %s", s.hide.failed(t.rename))
			case t.replace != nil:
				return warn("a rename to a name that was taken: %s", s.hide.failed(t.replace))
			}
			return ok("a rename replaced a file")
		}},
	{Check: Check{Code: "denied-verbs", Layer: Behaviour, Title: "commands that clients rely on are refused", Symptom: "sizes or times are not known, or uploads fail at their end",
		Remedy:     "allow the commands; without SIZE and MDTM a transfer cannot be proven",
		Directives: map[Software]string{VSFTPD: "cmds_allowed, cmds_denied, write_enable", ProFTPD: "<Limit>", FileZilla: "the user's permissions"}},
		needs: atServed, applies: isFTP, judge: func(s *seen) judgement {
			var hard, soft []string
			for _, v := range s.ftp.verbs {
				if !v.reply.unknown() && !has(v.reply.text, "permission denied", "not allowed", "denied by") && v.reply.code != 530 && v.reply.code != 532 {
					continue
				}
				said := v.verb + " was answered " + s.hide.said(v.reply.line())
				if v.verb == "RNFR" {
					soft = append(soft, said+": the account is read-only, perhaps")
				} else {
					hard = append(hard, said)
				}
			}
			switch {
			case len(s.ftp.verbs) == 0:
				return judgement{}
			case len(hard) > 0:
				return judgement{verdict: Warn, evidence: append(hard, soft...)}
			case len(soft) > 0:
				return judgement{verdict: Note, evidence: soft}
			}
			return ok("SIZE, MDTM and RNFR are carried out")
		}},
	{Check: Check{Code: "zone", Layer: Behaviour, OnRequest: true, Title: "the server tells times of another zone", Symptom: "everything looks changed, by whole hours",
		Remedy:     "let it tell times in UTC (RFC 3659 section 2.3), or give the client its zone (Options.FTP.ListZone, --list-zone)",
		Directives: map[Software]string{VSFTPD: "use_localtime=NO", ProFTPD: "TimesGMT on"}},
		needs: atServed, applies: isFTP, judge: func(s *seen) judgement {
			d := s.scratch.offset
			if !s.scratch.offsetSet {
				return judgement{}
			}
			if off := d - d.Round(zoneStep); d.Round(zoneStep) != 0 && off.Abs() < clockOff {
				return warn("a file that was just written is said to be of %s from now", signed(d))
			}
			return ok("times are in UTC")
		}},
	{Check: Check{Code: "clock", Layer: Behaviour, OnRequest: true, Title: "the clocks differ", Symptom: "what was just written looks old or new; certificates and tokens fail",
		Remedy: "run an NTP client on both machines"},
		needs: atServed, judge: func(s *seen) judgement {
			d := s.scratch.offset
			switch {
			case !s.scratch.offsetSet:
				return judgement{}
			case isFTP(s) && d.Round(zoneStep) != 0 && (d-d.Round(zoneStep)).Abs() < clockOff:
				return judgement{} // that is a zone
			case d.Abs() >= clockOff:
				return warn("a file that was just written is said to be of %s from now", signed(d))
			}
			return ok("they agree within %s", clockOff)
		}},
	{Check: Check{Code: "no-space", Layer: Behaviour, Title: "the disk or the quota is full", Symptom: "552, 452 or 451, or a plain failure, at some size",
		Remedy:     "free space, or raise the quota",
		Directives: map[Software]string{PureFTPd: "-n (quota), -k (MaxDiskUsage)", ProFTPD: "QuotaDefault"}},
		needs: atServed, judge: func(s *seen) judgement {
			switch kind := transport.KindOf(s.scratch.storeErr); {
			case s.scratch.storeErr != nil && (kind == transport.KindNoSpace || kind == transport.KindQuota):
				return fail("writing %s: %s", bytesText(scratchBytes), s.hide.failed(s.scratch.storeErr))
			case s.scratch.storeErr != nil:
				return judgement{}
			}
			free, known := s.free()
			switch {
			case !known:
				return judgement{}
			case free == 0:
				return fail("the server says that no byte is free")
			case free < littleSpace:
				return warn("the server says that %s are free", bytesText(free))
			}
			return ok("the server says that %s are free", bytesText(free))
		}},
	{Check: Check{Code: "object-store", Layer: Behaviour, Title: "an object store is behind the server", Symptom: "resuming, appending or setting times fails",
		Remedy:     "write each file in one go under its own name where it must be (delivery direct), and expect no times; AWS: SetStatOption ENABLE_NO_OP",
		Directives: map[Software]string{AWS: "SetStatOption ENABLE_NO_OP"}},
		needs: atGreeted, judge: func(s *seen) judgement {
			if s.software == AWS || s.software == Azure {
				return note("it names itself %s", s.hide.said(s.server))
			}
			return judgement{}
		}},
}

// codeOther is the check for what nothing else explains.
const codeOther = "other"

var otherChecks = []check{
	{Check: Check{Code: codeOther, Layer: Behaviour, Title: "something else", Symptom: "any",
		Remedy: "see what was seen, and report it if it should have a code of its own"},
		judge: func(s *seen) judgement {
			var j judgement
			if s.stop != nil {
				j = cause("%s: %s", s.stop.what, s.stopSaid())
			}
			if err := s.scratch.storeErr; err != nil && !errors.Is(err, transport.ErrSkipped) {
				if k := transport.KindOf(err); k != transport.KindNoSpace && k != transport.KindQuota {
					j = fail("writing to the scratch folder: %s", s.hide.failed(err))
				}
			}
			if err := s.scratch.hashErr; err != nil {
				j = fail("the server's %s: %s", s.scratch.hash, s.hide.failed(err))
			}
			return j
		}},
}

// free is what the server says of its room, in bytes.
func (s *seen) free() (n int64, known bool) {
	if s.ssh.space != nil && s.ssh.space.Free >= 0 {
		return s.ssh.space.Free, true
	}
	if s.ftp.avbl.code == 213 {
		if n, err := strconv.ParseInt(strings.TrimSpace(firstLine(s.ftp.avbl.text)), 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// signed writes a difference of times.
func signed(d time.Duration) string {
	if d > 0 {
		return "+" + d.String()
	}
	return d.String()
}
