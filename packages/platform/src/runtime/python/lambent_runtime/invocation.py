"""One call: from the INVOKE frame through the handler to RESULT or ERROR."""

import decimal
import json
import os
import queue
import threading
import time

from . import channel as frames
from .errors import RuntimeFault, payload_of, text_of

_RESPONSE_BYTES_MAX = 6_291_456


class Call:
    def __init__(self, call_id, metadata):
        self.id = call_id
        self.request_id = metadata["requestId"]
        self.metadata = metadata
        self.started = time.perf_counter()

    def elapsed_ms(self):
        return (time.perf_counter() - self.started) * 1000


class _Attributes:
    """Members of a JSON object by attribute, as the context's client and identity have them; absent ones are None."""

    def __init__(self, values):
        self.__dict__.update(values)

    def __getattr__(self, _name):
        return None


class Context:
    def __init__(self, assignment, metadata):
        self.aws_request_id = metadata["requestId"]
        self.function_name = assignment["functionName"]
        self.function_version = assignment["functionVersion"]
        self.invoked_function_arn = metadata["functionArn"]
        self.memory_limit_in_mb = str(assignment["memoryMb"])
        self.log_group_name = assignment["logGroup"]
        self.log_stream_name = assignment["logStream"]
        client = metadata.get("clientContext")
        self.client_context = _client_context(json.loads(client)) if client else None
        self.identity = _Attributes({"cognito_identity_id": None, "cognito_identity_pool_id": None})
        self._deadline_ms = metadata["deadline"]

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message):
        print(message)


def _client_context(given):
    context = _Attributes(given if isinstance(given, dict) else {})
    if isinstance(context.client, dict):
        context.client = _Attributes(context.client)
    return context


class _Encoder(json.JSONEncoder):
    def default(self, value):
        if isinstance(value, decimal.Decimal):
            return float(value)
        return super().default(value)


class Invocations:
    """Runs calls, one in the main thread or up to `concurrency` in threads of their own."""

    def __init__(self, channel, assignment):
        self._channel = channel
        self._assignment = assignment
        self._threaded = assignment["concurrency"] > 1
        self._local = threading.local()
        self._waiting = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._single = None

    def current(self):
        return getattr(self._local, "call", None) if self._threaded else self._single

    def use(self, handler, output):
        self._handler = handler
        self._output = output

    def invoke(self, call_id, body):
        size = int.from_bytes(body[:4], "little")
        call = Call(call_id, json.loads(body[4 : 4 + size]))
        if self._threaded:
            self._waiting.put((call, body[4 + size :]))
            if self._idle.acquire(blocking=False):
                return
            # The platform never has more calls here than the configured concurrency, so threads are bounded.
            threading.Thread(target=self._work, daemon=True).start()
            return
        self._single = call
        trace_id = call.metadata.get("traceId")
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        self._run(call, body[4 + size :])
        self._single = None

    def _work(self):
        """One thread: takes call after call. A permit of `_idle` stands for a thread that waits for one."""
        try:
            while True:
                call, event = self._waiting.get()
                self._local.call = call
                self._run(call, event, before_answer=self._idle.release)
        except frames.ChannelClosed:
            os._exit(0)

    def _run(self, call, event, before_answer=None):
        try:
            kind, body = frames.RESULT, self._answer(call, event)
        except Exception as error:
            kind, body = frames.ERROR, self._report(error, call.request_id)
        except BaseException as error:
            # sys.exit in a handler ends the process, also from a thread; the platform reports the code.
            self._output.flush()
            os._exit(exit_code_of(error))
        self._output.flush()
        if before_answer is not None:
            before_answer()
        self._channel.send_timed(kind, call.id, call.elapsed_ms(), body)

    def _answer(self, call, body):
        try:
            event = json.loads(body) if body else {}
        except ValueError as error:
            raise RuntimeFault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
        value = self._handler(event, Context(self._assignment, call.metadata))
        try:
            answer = json.dumps(value, cls=_Encoder, ensure_ascii=False).encode("utf-8", "surrogatepass")
        except (TypeError, ValueError, RecursionError) as error:
            raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
        if len(answer) > _RESPONSE_BYTES_MAX:
            message = f"Response payload size exceeded maximum allowed payload size ({_RESPONSE_BYTES_MAX} bytes)."
            raise RuntimeFault("Function.ResponseSizeTooLarge", message)
        return answer

    def _report(self, error, request_id):
        payload = payload_of(error, request_id)
        if self._assignment["logFormat"] == "JSON":
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self._output.line(json.dumps({"timestamp": stamp, "level": "ERROR", **payload}))
        else:
            self._output.line(text_of(payload))
        return json.dumps(payload).encode()

    def report_init(self, error):
        """Logs why the handler cannot be used and gives the payload for the caller."""
        return self._report(error, None)


def exit_code_of(error):
    """The code `sys.exit` would give the process."""
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None:
        return 0
    return error.code & 255 if isinstance(error.code, int) else 1
