"""Errors in the form Lambda's callers know: errorMessage, errorType, requestId, stackTrace."""

import os
import traceback

_TEXT_LENGTH_MAX = 65_536
_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))
_STACK_ENTRIES_MAX = 200


class RuntimeFault(Exception):
    """An error of the runtime's own, with its dotted public name; it has no stack a user could use."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


def _own(filename):
    return filename.startswith((_OWN_FOLDER, "<frozen importlib"))


def stack_of(error):
    """The user's lines of the stack, one text each."""
    entries = [entry for entry in traceback.extract_tb(error.__traceback__) if not _own(entry.filename)]
    return traceback.format_list(entries[-_STACK_ENTRIES_MAX:])


def payload_of(error, request_id):
    fault = isinstance(error, RuntimeFault)
    try:
        message = str(error)
    except Exception:
        message = "The error's text cannot be read."
    return {
        "errorMessage": message[:_TEXT_LENGTH_MAX],
        "errorType": error.name if fault else type(error).__name__,
        "requestId": request_id or "",
        "stackTrace": [] if fault else [line[:_TEXT_LENGTH_MAX] for line in stack_of(error)],
    }


def text_of(payload):
    """One log entry for an error nobody caught."""
    lines = [f"[ERROR] {payload['errorType']}: {payload['errorMessage']}"]
    if payload["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines.extend(line.rstrip("\n") for line in payload["stackTrace"])
    return "\n".join(lines)
