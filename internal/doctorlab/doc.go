// Command doctorlab breaks servers on purpose and has package ftpx/doctor find out how.
//
//	go run ./internal/doctorlab                        run all set-ups, print the matrix
//	go run ./internal/doctorlab -run 'cert|chroot'     those whose names match
//	go run ./internal/doctorlab -write docs/doctor.md  write the page as well
//
// Most set-ups are real servers (vsftpd, ProFTPD, Pure-FTPd, sshd) with a wrong setting, or
// behind nftables rules in a network namespace of the command's own. What no server here
// does, such as an inspecting firewall, is imitated, and said to be. Where the remedy is a
// setting of a server that runs here, it is applied, and the finding must be gone.
//
// It needs Linux, root, the servers (see internal/realserver) and nft.
package main
