package testserver

import (
	"encoding/binary"
	"io"
)

// SFTPHabits are what servers do that OpenSSH does not. Each is a switch, and each was met
// in the field; a status of 0 is a switch that is off. Requests of a session are carried
// out one after the other.
type SFTPHabits struct {
	// PosixRename, Rename, Setstat and Fsetstat are the status of these requests. The
	// extension is announced all the same.
	PosixRename, Rename, Setstat, Fsetstat uint32
	// RenameOnto is the status of a plain rename to a name that is taken.
	RenameOnto uint32
	// DeafRename answers both kinds of rename with success and does nothing.
	DeafRename bool
	// Close is the status of each SSH_FXP_CLOSE of a file that was written to. It is closed
	// all the same.
	Close uint32

	// Excl is the status of an SSH_FXP_OPEN with SSH_FXF_EXCL.
	Excl uint32
	// IgnoreExcl opens what is there as if SSH_FXF_EXCL had not been asked for.
	IgnoreExcl bool
	// Untruncated is the status of each SSH_FXP_OPEN that writes to a file that is there and
	// neither empties it nor asks that it be new.
	Untruncated uint32
	// DeafFsetstat answers SSH_FXP_FSETSTAT with success and does nothing.
	DeafFsetstat bool
	// OneHandle refuses to open a file or folder while another is open.
	OneHandle bool
	// Never is the status of each SSH_FXP_OPEN that writes.
	Never uint32

	// Stat, Lstat and Fstat are the status of these requests.
	Stat, Lstat, Fstat uint32
	// BareStat, BareLstat and BareFstat answer without any attribute.
	BareStat, BareLstat, BareFstat bool
	// Untyped leaves the permissions, and the type with them, out of all attributes.
	Untyped bool
	// Missing takes the place of SSH_FX_NO_SUCH_FILE in answers to SSH_FXP_STAT and LSTAT.
	Missing uint32
	// Opendir is the status of SSH_FXP_OPENDIR.
	Opendir uint32
	// BareList lists without attributes and with empty long names.
	BareList bool

	// Limits announces limits@openssh.com with room for 255 KiB.
	Limits bool
	// MostWrite and MostRead, if positive, are the longest requests taken; a longer one
	// fails.
	MostWrite, MostRead int
	// CutWrites takes the first bytes of a longer write, up to so many, and calls that
	// success.
	CutWrites int
	// WriteAt is the status of a write with which a file would be continued.
	WriteAt uint32
	// ShortReads, if positive, is the longest answer to a read.
	ShortReads int
	// LongReads answers a read with a byte more than was asked for.
	LongReads bool
}

// habitual stands between a client and pkg/sftp's server and has the habits.
type habitual struct {
	SFTPHabits
	client io.ReadWriter
	server io.ReadWriter // the client's end of a pipe to pkg/sftp's server
	open   int           // files and folders
	begun  map[string]bool
}

// run carries requests over until either side ends.
func (h *habitual) run() error {
	h.begun = map[string]bool{}
	for {
		request, err := readPacket(h.client)
		if err != nil {
			return err
		}
		answer := h.refuse(request)
		if answer == nil {
			if answer, err = h.ask(h.changed(request)); err != nil {
				return err
			}
			answer = h.answer(request, answer)
		}
		if err := writePacket(h.client, answer); err != nil {
			return err
		}
	}
}

// ask has pkg/sftp's server carry out a request.
func (h *habitual) ask(request []byte) ([]byte, error) {
	if err := writePacket(h.server, request); err != nil {
		return nil, err
	}
	return readPacket(h.server)
}

// Packet types and flags of draft-ietf-secsh-filexfer-02, sections 3 and 6.3.
const (
	fxpOpen     = 3
	fxpRead     = 5
	fxpWrite    = 6
	fxpLstat    = 7
	fxpFstat    = 8
	fxpSetstat  = 9
	fxpFsetstat = 10
	fxpOpendir  = 11
	fxpStat     = 17
	fxpRename   = 18
	fxpExtended = 200
	fxpVersion  = 2
	fxpData     = 103
	fxpName     = 104
	fxpAttrs    = 105
	fxpReply    = 201

	fxfWrite = 2
	fxfTrunc = 16
	fxfExcl  = 32

	fxNoSuchFile = 2
	fxFailure    = 4

	extLimits   = "limits@openssh.com"
	largeLimits = 255 << 10
)

// refuse answers a request that is not carried out, nil where it is.
func (h *habitual) refuse(request []byte) []byte {
	first, rest, _ := cutString(request[5:])
	status := uint32(0)
	switch request[0] {
	case fxpOpen:
		flags := binary.BigEndian.Uint32(rest)
		switch {
		case flags&fxfWrite != 0 && h.Never != 0:
			status = h.Never
		case flags&fxfExcl != 0 && h.Excl != 0:
			status = h.Excl
		case flags&fxfWrite != 0 && flags&(fxfTrunc|fxfExcl) == 0 && h.Untruncated != 0 && h.isThere(first, request[1:5]):
			status = h.Untruncated
		case h.OneHandle && h.open > 0:
			status = fxFailure
		}
	case fxpOpendir:
		if status = h.Opendir; status == 0 && h.OneHandle && h.open > 0 {
			status = fxFailure
		}
	case fxpWrite:
		status = h.refuseWrite(first, rest)
	case fxpRead:
		if n := binary.BigEndian.Uint32(rest[8:]); h.MostRead > 0 && n > uint32(h.MostRead) {
			status = fxFailure
		}
	case fxpStat:
		status = h.Stat
	case fxpLstat:
		status = h.Lstat
	case fxpFstat:
		status = h.Fstat
	case fxpSetstat:
		status = h.Setstat
	case fxpFsetstat:
		if status = h.Fsetstat; status == 0 && h.DeafFsetstat {
			return statusAnswer(request[1:5], 0)
		}
	case fxpRename:
		if h.DeafRename {
			return statusAnswer(request[1:5], 0)
		}
		if status = h.Rename; status == 0 && h.RenameOnto != 0 {
			if to, _, _ := cutString(rest); h.isThere(to, request[1:5]) {
				status = h.RenameOnto
			}
		}
	case fxpExtended:
		switch first {
		case extLimits:
			return limitsAnswer(request[1:5])
		case extPosixRename:
			if status = h.PosixRename; h.DeafRename {
				return statusAnswer(request[1:5], 0)
			}
		}
	}
	if status == 0 {
		return nil
	}
	return statusAnswer(request[1:5], status)
}

// isThere reports whether a name is taken.
func (h *habitual) isThere(name string, id []byte) bool {
	answer, err := h.ask(aboutPath(fxpLstat, id, name))
	return err == nil && answer[0] == fxpAttrs
}

func (h *habitual) refuseWrite(handle string, rest []byte) uint32 {
	offset, n := binary.BigEndian.Uint64(rest), binary.BigEndian.Uint32(rest[8:])
	if h.MostWrite > 0 && n > uint32(h.MostWrite) {
		return fxFailure
	}
	if h.WriteAt != 0 && offset > 0 && !h.begun[handle] {
		return h.WriteAt
	}
	h.begun[handle] = true
	return 0
}

// changed is what pkg/sftp's server is asked.
func (h *habitual) changed(request []byte) []byte {
	switch request[0] {
	case fxpOpen:
		if !h.IgnoreExcl {
			break
		}
		request = append([]byte(nil), request...)
		name, _, _ := cutString(request[5:])
		flags := request[5+4+len(name):]
		binary.BigEndian.PutUint32(flags, binary.BigEndian.Uint32(flags)&^fxfExcl)
	case fxpWrite:
		handle, _, _ := cutString(request[5:])
		data := 5 + 4 + len(handle) + 8
		if n := binary.BigEndian.Uint32(request[data:]); h.CutWrites > 0 && n > uint32(h.CutWrites) {
			request = append([]byte(nil), request[:data+4+h.CutWrites]...)
			binary.BigEndian.PutUint32(request[data:], uint32(h.CutWrites))
		}
	case fxpRead:
		handle, rest, _ := cutString(request[5:])
		at := 5 + 4 + len(handle) + 8
		request = append([]byte(nil), request...)
		n := binary.BigEndian.Uint32(rest[8:])
		if h.ShortReads > 0 {
			n = min(n, uint32(h.ShortReads))
		}
		if h.LongReads {
			n++
		}
		binary.BigEndian.PutUint32(request[at:], n)
	}
	return request
}

// answer is what the client is told.
func (h *habitual) answer(request, answer []byte) []byte {
	typ, id := request[0], answer[1:5]
	switch {
	case answer[0] == fxpHandle:
		h.open++
	case typ == fxpClose:
		handle, _, _ := cutString(request[5:])
		written := h.begun[handle]
		delete(h.begun, handle)
		if h.open--; written && h.Close != 0 {
			return statusAnswer(id, h.Close)
		}
	case answer[0] == fxpVersion && h.Limits:
		return putString(putString(answer, extLimits), "1")
	case answer[0] == fxpName && typ == fxpReaddir && (h.BareList || h.Untyped):
		return bareNames(answer)
	case answer[0] == fxpAttrs && (typ == fxpStat && h.BareStat || typ == fxpLstat && h.BareLstat || typ == fxpFstat && h.BareFstat):
		return append([]byte{fxpAttrs, id[0], id[1], id[2], id[3]}, 0, 0, 0, 0)
	case answer[0] == fxpAttrs && h.Untyped:
		return withoutPerm(answer)
	case answer[0] == fxpStatus && (typ == fxpStat || typ == fxpLstat) && h.Missing != 0 && binary.BigEndian.Uint32(answer[5:]) == fxNoSuchFile:
		return statusAnswer(id, h.Missing)
	}
	return answer
}
