//go:build !unix

package fleet

const nonblock = 0
