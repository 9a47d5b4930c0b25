//go:build !linux

package main

import "errors"

func recordAll(string) error {
	return errors.New("-record: the real servers run on Linux only")
}
