// Package trustdrill is here for its tests.
package trustdrill
