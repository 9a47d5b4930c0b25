//go:build !race

package forecast

const slower = 1
