//go:build !race

package securitydrill

const raceEnabled = false
