//go:build !(darwin || linux || windows)

package folder

func renameExclusive(from, to string) error { return renameReserved(from, to) }
