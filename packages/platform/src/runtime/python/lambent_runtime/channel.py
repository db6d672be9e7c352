"""The process's side of the frames, over a blocking socket: a full one holds the writer, which bounds what waits."""

import json
import socket
import struct
import threading

PROTOCOL_VERSION = 1
HELLO, ASSIGN, READY, INIT_FAILED, INVOKE, RESULT, ERROR, LOG = range(1, 9)
FLAG_EXITING = 1

FRAME_BYTES_MAX = 8 * 1024 * 1024
_HEADER = struct.Struct("<IBBHI")
_DURATION = struct.Struct("<d")


class ChannelClosed(Exception):
    """The platform is gone, or what came from it is no protocol."""


class Channel:
    def __init__(self, descriptor):
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._lock = threading.Lock()
        self._buffer = bytearray()

    def read(self):
        """The next frame as (type, call id, body)."""
        length, kind, _flags, _zero, call_id = _HEADER.unpack(self._take(_HEADER.size))
        if length > FRAME_BYTES_MAX:
            raise ChannelClosed()
        return kind, call_id, self._take(length)

    def send(self, kind, call_id, body, flags=0):
        frame = _HEADER.pack(len(body), kind, flags, 0, call_id) + body
        with self._lock:
            try:
                self._socket.sendall(frame)
            except OSError as error:
                raise ChannelClosed() from error

    def send_json(self, kind, value):
        self.send(kind, 0, json.dumps(value).encode())

    def send_timed(self, kind, call_id, duration_ms, body, flags=0):
        self.send(kind, call_id, _DURATION.pack(duration_ms) + body, flags)

    def _take(self, count):
        while len(self._buffer) < count:
            try:
                chunk = self._socket.recv(262_144)
            except OSError as error:
                raise ChannelClosed() from error
            if not chunk:
                raise ChannelClosed()
            self._buffer += chunk
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return taken
