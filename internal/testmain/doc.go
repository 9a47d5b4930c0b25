// Package testmain is what TestMain of several packages shares: temporary files in memory,
// and more tests at a time where tests wait.
package testmain

// Runner is what testing.M is.
type Runner interface{ Run() int }
