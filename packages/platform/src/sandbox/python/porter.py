"""
The porter: makes network namespaces with listeners inside and hands the listeners up to the platform.

Runs as root beside the platform, holds nothing secret, ends when the platform's end of the IPC closes: by nothing else,
so that a signal to all processes of a terminal or a service does not take it from a platform that is still draining.
Reads {"make": id, "ports": [...]} and {"release": fd}; answers one message per port: {"id", "port", "ns"},
where `ns` is the number of its own descriptor that keeps the namespace: /proc/<porter>/fd/<ns>.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node_ipc import listener, send_handle  # noqa: E402

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP_AND_RUNNING = 1 | 64

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def namespace_with_listeners(home, ports):
    """A new namespace, its loopback up, a listener per port inside; the caller is back home afterwards."""
    check(libc.unshare(CLONE_NEWNET), "unshare")
    try:
        namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        probe = socket.socket()
        # Before any bind: an address of an interface that is down cannot be bound.
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_AND_RUNNING))
        probe.close()
        return namespace, [listener(port) for port in ports]
    finally:
        # In the wrong namespace the next one would be made from it: better end.
        if libc.setns(home, CLONE_NEWNET) < 0:
            os._exit(70)


def serve(ipc):
    """Does what comes until the platform's end closes."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    held = set()
    buffered = b""
    while received := ipc.recv(65536):
        *lines, buffered = (buffered + received).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "make" in message:
                namespace, listeners = namespace_with_listeners(home, message["ports"])
                held.add(namespace)
                for port, made in zip(message["ports"], listeners):
                    about = {"id": message["make"], "port": port, "ns": namespace}
                    send_handle(ipc, "net.Server", json.dumps(about), made.fileno())
                    made.close()
            elif message.get("release") in held:
                held.remove(message["release"])
                os.close(message["release"])


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ipc = socket.socket(fileno=int(os.environ.pop("NODE_CHANNEL_FD")))
    ipc.setblocking(True)
    os.closerange(ipc.fileno() + 1, 1024)
    try:
        serve(ipc)
    except ConnectionError:
        pass  # Whoever asked for the namespace that was being made is gone.


main()
