"""An SFTP server of asyncssh. Argument: the settings, a file of JSON."""
import asyncio
import json
import os
import sys

import asyncssh

s = json.load(open(sys.argv[1]))


class Login(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return username == s["user"] and password == s["password"]


class Files(asyncssh.SFTPServer):
    def __init__(self, chan):
        super().__init__(chan, chroot=s["root"])


async def main():
    # It loads the keys again at each login, when it can no longer read the files.
    keys = [asyncssh.read_private_key(name) for name in s["keys"]]
    await asyncssh.listen(
        s["host"], s["port"], server_factory=Login, server_host_keys=keys, sftp_factory=Files, backlog=1000, reuse_address=True
    )
    os.setgroups([])
    os.setgid(s["gid"])
    os.setuid(s["uid"])
    os.umask(0o022)
    await asyncio.Event().wait()


asyncio.run(main())
