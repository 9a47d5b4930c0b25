// Package doctor examines a server the way a client will use it, and says which layer fails,
// what was seen, and what to change, with the directive of the server's own software.
//
// [Run] goes through the layers in order: name, network, identity, protection, login, data,
// behaviour. Each diagnosis has a stable code, see [Checks]. A cause that fails silences its
// consequences: they are [Skipped] because of its code, so that the first failure of a
// [Report] is what to mend.
//
// A run is gentle. It reads only, dials one connection at a time, and logs in once with each
// credential and protocol. Over SSH it makes one connection, which ends after its login:
// OpenSSH 9.8 and later shut out addresses that connect and leave (PerSourcePenalties,
// sshd_config(5)). The server's algorithms are read off its SSH_MSG_KEXINIT (RFC 4253
// section 7.1), which is in clear. What writes, opens many connections or takes minutes
// happens on request alone: [Options].Scratch, Connections and Idle.
//
// What a server says is evidence and hostile: it is shown quoted and cut to 200 bytes, and
// secrets are taken out of it.
package doctor
