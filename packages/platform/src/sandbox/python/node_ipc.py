"""Node's IPC, as far as handing descriptors to a Node parent needs it: JSON lines, descriptors beside them."""

import _socket

# SOL_SOCKET and SCM_RIGHTS of Linux on every machine type Lambent knows.
_SOL_SOCKET, _SCM_RIGHTS = 1, 1


def send_handle(ipc, kind, message_json, descriptor):
    """Hands `descriptor` up with a message: `kind` is `net.Server` or `net.Socket`. Node acknowledges each."""
    line = '{"cmd":"NODE_HANDLE","type":"%s","msg":%s}\n' % (kind, message_json)
    data = line.encode()
    sent = ipc.sendmsg([data], [(_SOL_SOCKET, _SCM_RIGHTS, descriptor.to_bytes(4, "little"))])
    if sent < len(data):
        ipc.sendall(data[sent:])


def listener(port):
    """A listener on the loopback address of the network namespace the caller is in."""
    made = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    made.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(511)
    return made
