"""
The dialer: makes connections inside the network namespace of one instance and hands them up to the platform.

Runs outside the instance, as the platform's user; only its network namespace is the instance's. Holds nothing secret,
listens nowhere, ends when the platform's end of the IPC closes. Argument: the pid of a process of the instance.
Reads {"dial": id, "port": port}; answers {"id"} with the connection, or {"id", "failed"} with what kept it from that.
"""

import ctypes
import fcntl
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node_ipc import send_handle  # noqa: E402

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
NS_GET_USERNS = 0xB701

# On a loopback a connection is made or refused at once; only a full queue of the listener takes longer.
CONNECT_SECONDS_MAX = 2

libc = ctypes.CDLL(None, use_errno=True)


def join(namespace, kind):
    if libc.setns(namespace, kind) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def enter(pid):
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        join(namespace, CLONE_NEWNET)
    except PermissionError:
        # An ordinary user has the rights only in the user namespace that the network namespace belongs to.
        owner = fcntl.ioctl(namespace, NS_GET_USERNS)
        join(owner, CLONE_NEWUSER)
        join(namespace, CLONE_NEWNET)
        os.close(owner)
    os.close(namespace)


def connection(port):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        made.settimeout(CONNECT_SECONDS_MAX)
        made.connect(("127.0.0.1", port))
        # The mode is shared with whoever gets the descriptor, and Node's must not block.
        made.setblocking(False)
        return made
    except OSError:
        made.close()
        raise


def serve(ipc):
    """Does what comes until the platform's end closes."""
    buffered = b""
    while received := ipc.recv(65536):
        *lines, buffered = (buffered + received).split(b"\n")
        for line in lines:
            message = json.loads(line)
            # Acknowledgements of what was handed up come the same way.
            if "dial" not in message:
                continue
            about = {"id": message["dial"]}
            try:
                made = connection(message["port"])
            except OSError as error:
                ipc.sendall(json.dumps({**about, "failed": str(error)}).encode() + b"\n")
                continue
            send_handle(ipc, "net.Socket", json.dumps(about), made.fileno())
            made.close()


def main():
    ipc = socket.socket(fileno=int(os.environ.pop("NODE_CHANNEL_FD")))
    ipc.setblocking(True)
    os.closerange(ipc.fileno() + 1, 1024)
    try:
        enter(int(sys.argv[1]))
        serve(ipc)
    except (FileNotFoundError, ConnectionError):
        pass  # The instance, or whoever dialled, is gone.


main()
