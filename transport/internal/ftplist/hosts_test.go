package ftplist

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestListingsOfOtherHosts: LIST of z/OS, IBM i, OpenVMS and NonStop, as their manuals and
// users show it.
func TestListingsOfOtherHosts(t *testing.T) {
	for name, c := range map[string]struct{ listing, want string }{
		"z/OS data sets": {`Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname
WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  48-MVS.FILE
NRP004 3390   **NONE**    1   15  NONE     0     0  NONE TEST
TSO005 3390   2005/06/06  2    5  U        0 27998  PO  'SYS1.GEN.LIB'
Migrated                                                MIG.DATASET
ARCIVE Not Direct Access Device                         KJ.IOP998.ERROR
Pseudo Directory                                        ABC`,
			"file 48-MVS.FILE -1, other TEST -1, dir SYS1.GEN.LIB -1, unknown MIG.DATASET -1, unknown KJ.IOP998.ERROR -1, dir ABC -1"},
		"z/OS members": {` Name     VV.MM   Created       Changed      Size  Init   Mod   Id
CONT0001  01.00 2003/10/08 2003/10/08 13:50     8     8     0 USERID
BARE`,
			"file CONT0001 -1 2003-10-08T13:50:00Z, file BARE -1"},
		"z/OS load modules": {` Name      Size     TTR   Alias-of AC--------- Attributes--------- Amode Rmode
EAGKCPT   000058   000009          00 FO             RN RU            31    ANY`,
			"file EAGKCPT -1"},
		"IBM i": {`QSYS            77824 12/17/07 15:33:20 *LIB       QGPL/
USER            14336 02/27/08 09:21:50 *FILE      TEST.FILE
                                        *MEM       TEST.FILE/TEST.MBR
                                        *MEM       ALONE.MBR
USER             8192 04/10/09 11:32:10 *DIR       QOpenSys/
USER              215 06/23/10 10:43:21 *STMF      read me.txt`,
			"dir QGPL -1 2007-12-17T15:33:20Z, unknown TEST.FILE -1 2008-02-27T09:21:50Z, file ALONE.MBR -1, dir QOpenSys -1 2009-04-10T11:32:10Z, file read me.txt 215 2010-06-23T10:43:21Z"},
		"OpenVMS": {`Directory DISK1:[USER]

CORE.MAIN;2          155/156    19-JUN-2001 11:12:03.00  [GROUP,USER]  (RWED,RWED,RE,)
CORE.MAIN;1          150/150    18-JUN-2001 11:12:03.00  [GROUP,USER]  (RWED,RWED,RE,)
A_NAME_THAT_IS_TOO_LONG_FOR_ITS_COLUMN.TXT;1
                       1/4       8-NOV-1999 09:01:00     [GROUP,USER]  (RWED,RWED,,)
SUB.DIR;1              1         7-OCT-1998 10:00        [GROUP,USER]  (RWE,RWE,RE,)

Total of 4 files, 307/311 blocks`,
			"file CORE.MAIN -1 2001-06-19T11:12:03Z, file A_NAME_THAT_IS_TOO_LONG_FOR_ITS_COLUMN.TXT -1 1999-11-08T09:01:00Z, dir SUB -1 1998-10-07T10:00:00Z"},
		"NonStop": {`File         Code             EOF  Last Modification    Owner  RWEP
IARPTS        101           16354 18-Mar-09 15:09:12 244, 10 "nnnn"
JENNYCB2     101O               0 02-Jan-10 08:00:00 244, 10 "nnnn"`,
			"file IARPTS 16354 2009-03-18T15:09:12Z, file JENNYCB2 0 2010-01-02T08:00:00Z"},
	} {
		read := Lines(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
		var got []string
		for line := range strings.SplitSeq(c.listing, "\n") {
			if line == "" {
				continue
			}
			e, skip, ok := read(line)
			if !ok {
				t.Errorf("%s: %q is not understood", name, line)
			}
			if skip || !ok {
				continue
			}
			text := fmt.Sprintf("%s %s %d", e.Type, e.Name, e.Size)
			if !e.ModTime.IsZero() {
				text += " " + e.ModTime.Format(time.RFC3339)
			}
			if got = append(got, text); e.TimeExact {
				t.Errorf("%s: a time without a zone is called exact: %+v", name, e)
			}
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, text, c.want)
		}
	}
}

// FuzzHostLines: whatever a server lists, no entry has an empty name or one with a slash.
func FuzzHostLines(f *testing.F) {
	f.Add("Volume Unit    Referred Ext Used", "Migrated '/'")
	f.Add("Directory D:[X]", "A.DIR;1 1 7-OCT-1998 10:00")
	f.Add("x", "USER 1 02/27/08 09:21:50 *FILE a/b/")
	f.Fuzz(func(t *testing.T, a, b string) {
		read := Lines(time.Unix(0, 0).UTC())
		for _, line := range []string{a, b, b} {
			if e, skip, ok := read(line); ok && !skip && e.Name == "" {
				t.Errorf("%q, %q: %+v", a, b, e)
			}
		}
	})
}
