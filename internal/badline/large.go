package main

import "context"

func runLarge(ctx context.Context, size int64) error { return nil }
