//go:build linux && realserver

package conformance

import (
	"maps"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// habits are what a real server cannot do, by the cases of the suite.
type habits map[string]string

// realHabits says it of each kind. What is here is a server's doing, and is not to be
// mended in the client: what that does not do is in nobody's table.
var realHabits = map[realserver.Kind]habits{
	realserver.ProFTPD: {
		"FolderNames/star": "MKD of a name with * is answered 550 Invalid directory name",
	},
	realserver.PureFTPd: {
		"RetrieveLimitKeeps":         "a RETR that is cut off is answered 150, after which nobody knows what comes",
		"Names/backslash":            "553 Prohibited file name",
		"FolderNames/backslash":      "553 Prohibited directory name",
		"Names/trailing space":       "it stores the name with _ for the space, and then does not find it",
		"FolderNames/trailing space": "it makes the name with _ for the space, and then does not find it",
	},
	realserver.PyFTPd: {
		"ListLinks": "MLSD says type=file or type=dir of a link, and leaves out one that leads nowhere",
	},
	realserver.Inetutils: {
		"Remove":  "DELE removes an empty folder",
		"Chtimes": noMFMT,
	},
	realserver.BusyBox: {
		"RetrieveMissing": bareError, "ListMissing": bareError, "Rmdir": bareError, "Remove": bareError, "RenameMissing": bareError,
		"Sequence": bareError, "Permission": bareError,
		"ListStops": "a LIST whose data connection is closed ends the process of the session",
		"Chtimes":   noMFMT,
	},
	realserver.FTPSrv: {
		"StoreAppends":              "STOR after REST empties the file, and fills it with zeros up to the offset",
		"StoreSourceFails":          "it removes a file of which the data connection was reset",
		"ListLinks":                 "LIST calls a link what it leads to",
		"Names/double quotes":       "it takes double quotes out of names",
		"FolderNames/double quotes": "it takes double quotes out of names",
		"Names/backslash":           backslash,
		"FolderNames/backslash":     backslash,
		"Mkdir":                     "MKD of what is there is answered 257, and makes the folders above as well",
		"Rmdir":                     "RMD removes files, and what a folder holds",
		"Remove":                    "DELE removes folders",
		"Chtimes":                   noMFMT,
	},
	realserver.GoFTP: {
		"StoreAppend":     "APPE replaces the file, and is not sent",
		"StatLink":        "MLST, SIZE and LIST tell the link's own size",
		"ListLinks":       "MLSD calls a link a file",
		"RetrieveMissing": "551 File not available, whatever the reason",
		"Mkdir":           "MKD of what is there is answered 257, and makes the folders above as well",
		"Rmdir":           "RMD removes what the folder holds",
		"Remove":          "550 File delete failed, whatever the reason",
		"Sequence":        "as in Remove",
	},
	realserver.SFTPGo: {
		"StatMissing":           "SSH_FX_FAILURE of what lies below a file",
		"Names/backslash":       backslash,
		"FolderNames/backslash": backslash,
	},
	realserver.SFTPGoFTP: {
		"ListLinks":             "MLSD calls a link a file",
		"Names/backslash":       backslash,
		"FolderNames/backslash": backslash,
	},
}

const (
	bareError = "550 Error, or 553 Error, whatever the reason"
	noMFMT    = "only MDTM with a time, 550, shows that no time can be set"
	backslash = "it takes a backslash for a slash"
)

// tlsHabits are what a setup under TLS cannot do besides.
var tlsHabits = map[string]habits{
	"goftp/ftps": {"Retrieve": closesEarly, "RetrieveOffsets": closesEarly, "RetrieveLimit": closesEarly},
}

const closesEarly = "a RETR of nothing closes the data connection before its TLS handshake"

// habitsOf are all of a setup.
func habitsOf(s realSetup) habits {
	all := habits{}
	maps.Copy(all, realHabits[s.options.Kind])
	maps.Copy(all, tlsHabits[s.name])
	return all
}

// undecided are setups that answer one request now so and now otherwise, so that a batch cannot
// be compared with its sequence there. The suite is run on them, and batches over plain FTP.
var undecided = map[string]string{
	"goftp/ftps": "it now and then closes the data connection of an empty file before the TLS handshake on it has ended, which is a lost connection",
}

// unfit are setups on which the suite and the batches are not run, and why. Folders are
// moved over them all the same, see the package trustdrill: what fails is done again.
var unfit = map[string]string{
	"pyftpdlib/ftps": "it now and then closes a data connection whose TLS handshake has begun before STOR or RETR came, and then waits for another",
}
