// Package realserver starts the servers that the field runs, see [Kind]: vsftpd,
// ProFTPD, Pure-FTPd and OpenSSH, which most tests are for, and others besides. Each
// has configuration generated on the spot, so that tests and benchmarks measure the
// client against real behaviour instead of against a double that shares our
// misunderstandings.
//
// Read Options for what can be asked of a server, then Start and Server. Tests
// reach it through the package realtest beneath, which skips where a server is
// missing and fails where FTPX_REQUIRE_SERVERS=1 says that it must be there.
//
// What it needs: Linux and root, because the servers change to the user that
// logs in; the servers' binaries in PATH, in the usual sbin folders or unpacked
// below the folder that Servers names (.ci/run prepares all of it, and builds what
// Debian does not have); and /proc. Inetutils also needs to be let mount, in a
// namespace of its own.
//
// What it leaves behind: one unix user, Account, whose password is random and
// kept in a file that only root reads, and lock files below /run/go-ftpx. The
// user is created when it is missing and then kept, because test binaries of
// several packages run at the same time and share it; `userdel ftpxtest` removes
// it. Everything else (processes, ports, folders) goes with Server.Close, and
// the processes also when the program that started them dies; a program killed
// that way leaves its folders, named ftpx-real-*, in the temporary folder.
//
// Do not use it to run a server for anything but tests: its servers listen on
// loopback addresses only, and the configuration favours observation and speed
// over safety.
package realserver
