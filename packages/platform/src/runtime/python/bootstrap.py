"""Waits on the channel for an assignment, becomes that function, takes its calls.

Started by itself (`python3 bootstrap.py`, channel at descriptor 3) or imported by the zygote, whose forks call
`main(channel_fd)`: everything this needs is imported here, before the fork, and no thread is started before it.
"""

import os
import sys
import time

_FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _FOLDER)

import json  # noqa: E402

from lambent_runtime import channel as frames  # noqa: E402
from lambent_runtime.errors import RuntimeFault  # noqa: E402
from lambent_runtime.invocation import Invocations, exit_code_of  # noqa: E402
from lambent_runtime.loader import load_handler  # noqa: E402
from lambent_runtime.logs import Output  # noqa: E402

# The function's own modules must not find the bootstrap's.
sys.path[:] = [entry for entry in sys.path if entry != _FOLDER]

_EXIT_PROTOCOL = 70


def main(channel_fd, debugger_port=None):
    """Never returns: the process ends with its channel."""
    channel = frames.Channel(channel_fd)
    try:
        version = ".".join(map(str, sys.version_info[:3]))
        hello = {"version": frames.PROTOCOL_VERSION, "features": ["concurrency"], "runtime": f"python{version}"}
        if debugger_port is not None:
            hello["debuggerPort"] = debugger_port
        channel.send_json(frames.HELLO, hello)
        _serve(channel)
    except frames.ChannelClosed:
        pass
    os._exit(0)


def _serve(channel):
    invocations = None
    while True:
        kind, call_id, body = channel.read()
        if kind == frames.INVOKE:
            invocations.invoke(call_id, body)
        elif kind == frames.ASSIGN:
            invocations = _assign(channel, json.loads(body))
        elif kind == frames.HELLO and json.loads(body).get("version") != frames.PROTOCOL_VERSION:
            os._exit(_EXIT_PROTOCOL)


def _assign(channel, assignment):
    if assignment["environment"] is not None:
        _apply_environment(assignment["environment"])
    _apply_paths(assignment["taskRoot"], assignment["layerRoot"])
    invocations = Invocations(channel, assignment)
    output = Output(channel, invocations.current)
    output.install(assignment["logFormat"], assignment["logLevel"])
    invocations.use(None, output)
    try:
        if assignment["style"] != "lambda":
            raise RuntimeFault("Runtime.HandlerStyleUnsupported", f"The handler style '{assignment['style']}' exists for Node only.")
        invocations.use(load_handler(assignment["handler"]), output)
    except Exception as error:
        payload = invocations.report_init(error)
        output.flush()
        channel.send(frames.INIT_FAILED, 0, payload)
        os._exit(1)
    except BaseException as error:
        output.flush()
        os._exit(exit_code_of(error))
    output.flush()
    channel.send_json(frames.READY, {})
    return invocations


def _apply_environment(environment):
    for name in [name for name in os.environ if name not in environment]:
        del os.environ[name]
    os.environ.update(environment)
    time.tzset()


def _apply_paths(task_root, layer_root):
    os.chdir(task_root)
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [f"{layer_root}/python/lib/{minor}/site-packages", f"{layer_root}/python"]
    extra = [entry for entry in os.environ.get("PYTHONPATH", "").split(":") if entry and entry not in sys.path]
    sys.path[:0] = [task_root, *layers, *extra]


def _asked_debugger_port():
    if "--inspect" not in sys.argv[1:]:
        return None
    del sys.argv[1:]
    # Its import costs a tenth of a second and belongs to this case alone.
    sys.path.insert(0, _FOLDER)
    from lambent_runtime.debugger import open_debugger

    sys.path.remove(_FOLDER)
    return open_debugger()


if __name__ == "__main__":
    main(3, _asked_debugger_port())
