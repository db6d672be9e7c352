"""print, sys.stdout, sys.stderr and the logging module as log lines on the channel, in order with the answers."""

import io
import json
import logging
import sys
import time

from . import channel as frames
from .errors import stack_of

_LINE_BYTES_MAX = 262_144
_PARTIAL_BYTES_MAX = 65_536
_LEVELS = {"TRACE": logging.NOTSET + 1, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR, "FATAL": logging.CRITICAL}


class Output:
    """Sends lines under the call that runs now; `current()` gives it or None."""

    def __init__(self, channel, current):
        self._channel = channel
        self._current = current
        self._raws = []

    def line(self, text):
        call = self._current()
        body = text.encode("utf-8", "replace") if isinstance(text, str) else text
        for start in range(0, len(body) or 1, _LINE_BYTES_MAX):
            self._channel.send(frames.LOG, call.id if call else 0, body[start : start + _LINE_BYTES_MAX])

    def request_id(self):
        call = self._current()
        return call.request_id if call else None

    def flush(self):
        """What has no line end yet becomes a line, so that it stands before the answer."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        for raw in self._raws:
            raw.flush_partial()

    def install(self, log_format, log_level):
        sys.stdout = self._stream(1)
        sys.stderr = self._stream(2)
        handler = _ChannelHandler(self)
        handler.setFormatter(_JsonFormatter(self) if log_format == "JSON" else _TextFormatter(self))
        root = logging.getLogger()
        root.handlers[:] = [handler]
        if log_format == "JSON":
            root.setLevel(_LEVELS.get(log_level, logging.INFO))

    def _stream(self, descriptor):
        raw = _RawLines(self, descriptor)
        self._raws.append(raw)
        return io.TextIOWrapper(raw, encoding="utf-8", errors="replace", line_buffering=True, write_through=True)


class _RawLines(io.RawIOBase):
    def __init__(self, output, descriptor):
        self._output = output
        self._descriptor = descriptor
        self._partial = b""

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def write(self, data):
        data = bytes(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._output.line(line)
        if len(self._partial) > _PARTIAL_BYTES_MAX:
            self.flush_partial()
        return len(data)

    def flush_partial(self):
        if self._partial:
            line, self._partial = self._partial, b""
            self._output.line(line)


class _ChannelHandler(logging.Handler):
    def __init__(self, output):
        super().__init__()
        self._output = output

    def emit(self, record):
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        self._output.line(text)


class _TextFormatter(logging.Formatter):
    converter = time.gmtime

    def __init__(self, output):
        super().__init__("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
        self._output = output

    def format(self, record):
        record.aws_request_id = self._output.request_id() or ""
        return super().format(record)


class _JsonFormatter(logging.Formatter):
    converter = time.gmtime

    def __init__(self, output):
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%S")
        self._output = output

    def format(self, record):
        line = {
            "timestamp": f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self._output.request_id(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["errorType"] = type(error).__name__
            line["errorMessage"] = str(error)
            line["stackTrace"] = stack_of(error)
            line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        return json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False, default=str)
