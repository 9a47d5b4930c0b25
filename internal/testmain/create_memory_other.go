//go:build !linux

package testmain

const root = ""

// create knows no file system in memory here.
func create(string) (dir string, remove func(), err error) { return "", nil, nil }
