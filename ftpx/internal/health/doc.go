// Package health counts how a host does and says when that is bad: rings of minutes and
// hours (ring.go), thresholds with hysteresis (alarm.go), and what losses of connections
// have in common (cut.go). It is arithmetic: it knows no connection and no server, and is
// told of what happens by a [Record]'s methods. All of it is constant in size.
package health
