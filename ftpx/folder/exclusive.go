package folder

import "os"

// renameReserved moves a file where the system has no rename that fails when the new
// name is taken: it takes that name with an empty file of its own, and replaces that. A
// crash between the two leaves the empty file.
func renameReserved(from, to string) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := os.Rename(from, to); err != nil {
		os.Remove(to)
		return err
	}
	return nil
}
