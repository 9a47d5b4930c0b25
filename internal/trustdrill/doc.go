// Package trustdrill drills what the client promises against the real servers of
// internal/realserver, behind the bad lines of internal/faultproxy: processes that
// are killed and started again, sources that are exchanged in between, replies that
// never come, data connections that end early and cleanly, protocols that go away,
// disks that are full. It has nothing but tests. One of them needs no real server: a
// transfer that is killed once (kill_test.go). The others have the build tag realserver:
//
//	FTPX_REQUIRE_SERVERS=1 go test -tags realserver -timeout 60m -v ./internal/trustdrill
//
// They take 10 to 20 minutes, and -short a few. With -v each prints its figures.
// What is asserted are bytes and ratios; times only where a promise is one, and
// then in units of the stall time. Read rig_real_test.go first, and
// main_test.go for the mover, the program that is killed.
//
// # Traps
//
// The traps of the server facts, and which tests fail if one is stepped into. Where
// it can be shown, the bare library steps into it first, in the same test; "bare"
// says that it does.
//
//	trap                               here                                      in the drivers and below
//	1  226 over a truncated file       TestTrap01_226OverTruncatedFile (bare),   ftpdriver TestRealSourceFails
//	                                   TestFinOnDataConnections
//	2  no deadline anywhere            TestTrap02_NothingWaitsForEver (bare)
//	3  REST and STOR differ            TestTrap03_RestartAtTheSizeAlone          ftpdriver TestRealNoStoreRestart, TestRestartRefused,
//	                                                                             realserver TestStoreRestart (raw)
//	4  the old session still writes    TestTrap04_OldSessionStillWriting (bare)  ftpdriver TestRealLocked
//	5  tail lost under TLS 1.3         TestTrap05_TailOfStoreUnderTLS13 (bare)   ftpdriver TestRealSixtyStores
//	6  data in clear after PROT P      TestTrap06_DataIsNeverInClear (bare)
//	7  replies off by one              TestTrap07_NoReplyOfAnotherCommand (bare) ftpdriver session_test.go
//	8  SFTP size is no prefix          TestTrap08_SizeIsNotThePrefix (bare)      sftpdriver TestTrap8*, TestRealCutOff
//	9  Close hangs                     TestTrap09_CloseNeverHangs (bare)         sftpdriver TestTrap9NothingHangs
//	10 codes mislead                   TestDiskFull, TestQuotaFull,              ftpdriver TestRealRefusals,
//	                                   TestRealPermission                        realserver TestReplies (raw)
//	13 256 KiB packets kill                                                      sftpdriver TestTrap13RealPacketSize
//	14 last error and short reads      TestTrap14_LastChunkIsNotDropped          sftpdriver TestTrap14ShortReads, TestTrap14EarlyEnd
//	15 rename onto a file              TestTrap15_RenameOntoAFile (bare)         sftpdriver TestRealOpenSSH
//	16 a stalled upload blocks         TestTrap16_StalledUploadBlocksTheNext     ftpdriver TestRealLocked, TestLockedReadBack,
//	                                                                             ftpx TestHeldPartialIsLeftAlone
package trustdrill
