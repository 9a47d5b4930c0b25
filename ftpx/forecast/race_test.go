//go:build race

package forecast

// slower is how much longer a step may take under the race detector.
const slower = 40
