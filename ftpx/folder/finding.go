package folder

import "fmt"

// Finding is how an entry compares with its counterpart, its namesake in the other folder.
// Zero is FindingNone.
type Finding uint8

// The findings.
const (
	// FindingNone: they were not compared, because the entry was left out or refused, or
	// because nothing is compared (CompareNothing, DeliverDrop).
	FindingNone Finding = iota
	// Missing: there is no counterpart, and the entry is only in the folder that is copied.
	Missing
	// Same: they are equal, as far as Options.Compare asks, or the ledger says so.
	Same
	// Differs: they are not equal, or nothing has shown yet that they are.
	Differs
	// Extra: the entry is only in the folder that is copied to.
	Extra
)

// String returns "none", "missing", "same", "differs" or "extra".
func (f Finding) String() string {
	switch f {
	case Missing:
		return "missing"
	case Same:
		return "same"
	case Differs:
		return "differs"
	case Extra:
		return "extra"
	}
	return "none"
}

// MarshalText makes a Finding readable in JSON and logs.
func (f Finding) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what String writes.
func (f *Finding) UnmarshalText(text []byte) error {
	for known := FindingNone; known <= Extra; known++ {
		if string(text) == known.String() {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("%q is no finding: none, missing, same, differs or extra", text)
}
