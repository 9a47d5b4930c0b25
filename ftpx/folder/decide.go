package folder

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// verdict is what was decided about a file of the source.
type verdict struct {
	copy   bool
	prove  bool // it may be there already: let ftpx look, or compare
	noTime bool // a time that was needed is not known
	same   bool // it is there already, by its size and time
	proven bool // the ledger knows that this very version was copied
	finish bool // it seems to be there: prove that, and do what After says
	ask    bool // its exact time decides, and is to be asked for
	marked bool // with ask: what is there has its marker
	reason string
	found  Finding
	doubt  error // it is not copied, since it may have been delivered before
}

// decide compares a file with the one at the other side, nil for none. An error is
// one of the ledger, without which nothing can be decided.
func (j *job) decide(rel string, s, d *entry) (verdict, error) {
	if j.o.Once && j.o.Compare != CompareNothing {
		if v, err := j.once(rel, s); err != nil || v.reason != "" {
			return v, err
		}
	}
	if d == nil || s.size != d.size || j.o.Compare == CompareNothing {
		if doubt, err := j.inDoubt(rel, s); err != nil || doubt != nil {
			return verdict{doubt: doubt}, err
		}
	}
	switch {
	case d == nil:
		return verdict{copy: true, found: Missing, reason: "it is not there"}, nil
	case j.o.Compare == CompareNothing:
		return verdict{copy: true, reason: "every file is copied"}, nil
	case s.size < 0 || d.size < 0:
		return verdict{copy: true, prove: true, found: Differs, reason: "its size is not known"}, nil
	case s.size != d.size:
		return verdict{copy: true, found: Differs, reason: fmt.Sprintf("%d bytes here, %d there", s.size, d.size)}, nil
	case j.o.Compare == CompareSize:
		return verdict{found: Same, reason: "the same size"}, nil
	case j.o.Compare == CompareProof:
		return verdict{copy: true, prove: true, found: Differs, reason: "the same size, to be proven the same"}, nil
	}
	return j.byTime(rel, s, d)
}

// byTime compares two files of the same size.
func (j *job) byTime(rel string, s, d *entry) (verdict, error) {
	known := s.exact && d.exact
	if known && j.near(s.time(), d.time()) {
		return verdict{same: true, found: Same, reason: "the same size and time"}, nil
	}
	old, found, err := j.recall(rel)
	if err != nil {
		return verdict{}, err
	}
	if found && j.sameSource(old.Source, s) && (!known || !old.Dest.TimeExact) && j.sameDest(old.Dest, d) {
		return verdict{noTime: true, found: Same, reason: fmt.Sprintf("the same size, and as the ledger says, copied on %s; the server's time tells nothing", stamp(old.When))}, nil
	}
	if known {
		return verdict{copy: true, found: Differs, reason: fmt.Sprintf("written %s here, %s there", stamp(s.time()), stamp(d.time()))}, nil
	}
	why := "the ledger does not know it as it is"
	if j.o.Ledger == nil {
		why = "there is no ledger"
	}
	return verdict{copy: true, prove: true, noTime: true, ask: true, found: Differs, reason: "the same size, but the server tells no exact time and " + why}, nil
}

// once asks the ledger whether a file has been copied, by its content if its time
// is another. Its verdict has no reason if not.
func (j *job) once(rel string, s *entry) (verdict, error) {
	old, found, err := j.recall(rel)
	if err != nil || !found || old.Source.Size != s.size {
		return verdict{}, err
	}
	why, proven := "", false
	if j.sameSource(old.Source, s) {
		why, proven = "copied on "+stamp(old.When), j.veryVersion(old.Source, s)
	} else if j.sameContent(old.Source, rel, s) {
		why, proven = "the same content was copied on "+stamp(old.When), strings.HasPrefix(old.Source.Hash, "sha256:")
	}
	if why == "" {
		return verdict{}, nil
	}
	return verdict{noTime: !s.exact, proven: proven, found: Same, reason: "as the ledger says, " + why}, nil
}

// sameContent reports whether a file to be sent has the content that was sent. One that
// cannot be read has not: the upload will say so.
func (j *job) sameContent(old ledger.Identity, rel string, s *entry) bool {
	if !j.up || old.Hash == "" || old.Size != s.size {
		return false
	}
	hash, err := hashFile(j.src.full(rel), s.size, j.o.Ledger.FullHash())
	return err == nil && hash == old.Hash
}

// veryVersion reports whether the source is the version that was copied, for sure
// enough to delete it: Tolerance is not for this.
func (j *job) veryVersion(old ledger.Identity, s *entry) bool {
	if !old.TimeExact || !s.exact || old.Size != s.size {
		return false
	}
	if j.up {
		return old.ModTime.Equal(s.time())
	}
	return old.ModTime.Unix() == s.time().Unix()
}

// complete changes the verdict about a file that need not be copied, if something of
// what After says may be left to do, because an earlier run did not come to it. marked
// says that the copy has its marker.
func (j *job) complete(rel string, s, d *entry, v verdict, marked bool) (verdict, error) {
	takes := j.o.After.Source != SourceKeep
	if v.copy || !takes && (marked || d == nil) && j.o.After.MarkSource == "" {
		return v, nil
	}
	if !v.proven && d != nil {
		old, found, err := j.recall(rel)
		if err != nil {
			return v, err
		}
		v.proven = found && j.veryVersion(old.Source, s) && j.sameDest(old.Dest, d)
	}
	if v.proven && (marked || d == nil) {
		v.copy = true
		return v, nil
	}
	v.proven = false
	v.copy, v.prove, v.finish = true, true, d != nil
	v.reason += ", to be proven"
	return v, nil
}

func (j *job) recall(rel string) (ledger.Entry, bool, error) {
	if j.o.Ledger == nil {
		return ledger.Entry{}, false, nil
	}
	e, found, err := j.o.Ledger.Lookup(j.name, rel)
	return e, found && e.State == "", err
}

// sameSource reports whether the source is the one that was copied, as far as its
// listing tells. An inexact time must be the same as before, but that a listing
// drops the hour of what is older than half a year.
func (j *job) sameSource(old ledger.Identity, s *entry) bool {
	now := s.time()
	switch {
	case old.Size != s.size || old.ModTime.IsZero() != now.IsZero():
		return false
	case now.IsZero():
		return true
	case old.TimeExact && s.exact:
		return j.near(old.ModTime, now)
	case now.Equal(old.ModTime):
		return true
	}
	now = now.UTC()
	return now.Equal(now.Truncate(24*time.Hour)) && old.ModTime.UTC().Truncate(24*time.Hour).Equal(now)
}

// sameDest reports whether nothing shows that the copy has been changed since.
func (j *job) sameDest(old ledger.Identity, d *entry) bool {
	return old.Size == d.size && (!old.TimeExact || !d.exact || j.near(old.ModTime, d.time()))
}

func (j *job) near(a, b time.Time) bool { return a.Sub(b).Abs() <= j.o.Tolerance }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func hashFile(name string, size int64, full bool) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return ledger.Hash(f, size, full)
}
