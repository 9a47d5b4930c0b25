//go:build !linux

package main

import (
	"context"
	"errors"
)

func runLarge(context.Context, int64, bool) error {
	return errors.New("-gigabyte needs Linux: the real servers are started as Debian has them")
}
