// Package status serves what the clients of a command are doing: /metrics for Prometheus,
// /healthz and /readyz for whoever starts and stops it, and a page for people at /.
//
// Read [New] first. The page shows names from servers: all of it goes through html/template,
// and a content security policy forbids every script and every resource but the page's own.
package status
