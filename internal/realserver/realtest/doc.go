// Package realtest is the door through which tests reach real servers: it skips
// or fails where one is missing, and ends servers with the test.
//
// Files that use it carry the build constraint `linux && realserver` and a name
// ending in _real_test.go, so that plain `go test ./...` needs nothing installed:
//
//	func TestUpload(t *testing.T) {
//		srv := realtest.Start(t, realserver.Options{Kind: realserver.VSFTPD})
//		...
//	}
//
// Run them with `go test -tags realserver ./...` as root.
package realtest
