//go:build race

package faultsweep_test

const raceDetector = true
