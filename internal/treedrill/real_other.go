//go:build !linux

package main

import (
	"context"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func startReal(context.Context, ftpx.Protocol, uint64) (*line, error) {
	return nil, errors.New("real servers need Linux, where they are started as Debian has them: use -embedded")
}
