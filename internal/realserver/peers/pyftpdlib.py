"""An FTP server of pyftpdlib. Argument: the settings, a file of JSON."""
import json
import logging
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S")
s = json.load(open(sys.argv[1]))
authorizer = DummyAuthorizer()
authorizer.add_user(s["user"], s["password"], s["root"], perm="elradfmwMT")
handler = FTPHandler
if s["tls"]:
    handler = TLS_FTPHandler
    handler.certfile = s["pair"]
    handler.tls_control_required = handler.tls_data_required = s["tls_required"]
    handler.ssl_context = handler.get_ssl_context()  # while the key can be read
handler.authorizer = authorizer
handler.passive_ports = range(s["passive_lo"], s["passive_hi"] + 1)
handler.auth_failed_timeout = 0
server = FTPServer((s["host"], s["port"]), handler)
server.max_cons = s["most"]
server.max_cons_per_ip = 0

os.setgroups([])
os.setgid(s["gid"])
os.setuid(s["uid"])
os.umask(0o022)
server.serve_forever()
