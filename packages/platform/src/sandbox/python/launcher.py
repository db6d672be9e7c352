"""
First program inside the sandbox of an ordinary user: listens on the instance's ports, hands the listeners up to the
platform, and becomes the command. It waits for every acknowledgement and closes the IPC first: the command never holds it.

Arguments: <ipc descriptor> <port,port,...> <command...>. Only built-in modules, to start in a few milliseconds.
"""

import _socket
import os
import sys

sys.path.insert(0, os.path.dirname(sys.argv[0]))
from node_ipc import listener, send_handle  # noqa: E402

ipc = _socket.socket(fileno=int(sys.argv[1]))
ipc.setblocking(True)
ports = [int(port) for port in sys.argv[2].split(",")]
for port in ports:
    made = listener(port)
    send_handle(ipc, "net.Server", '{"port":%d}' % port, made.fileno())
    made.close()
acknowledged = 0
while acknowledged < len(ports):
    received = ipc.recv(4096)
    if not received:
        sys.exit("the platform closed the channel")
    acknowledged += received.count(b"\n")
ipc.close()
# Python adds it to its own environment in the C locale; the command's own reaches it only behind this program.
os.environ.pop("LC_CTYPE", None)
os.execv(sys.argv[3], sys.argv[3:])
