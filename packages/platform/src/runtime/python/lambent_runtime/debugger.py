"""debugpy, opened before the function's code is loaded, in an instance that was started with a debugger."""

import os
import sys


def open_debugger():
    """The port debugpy listens on, on the instance's own loopback; None where neither function nor machine has it."""
    # The function's own copy comes first, where the function itself will look for it.
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    layer_root = os.path.join(os.path.dirname(task_root), "opt", "python")
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    before = list(sys.path)
    sys.path[:0] = [task_root, f"{layer_root}/lib/{minor}/site-packages", layer_root]
    try:
        import debugpy

        # This interpreter starts debugpy's adapter, which is a process of its own inside the instance.
        debugpy.configure(python=sys.executable)
        return debugpy.listen(("127.0.0.1", 0))[1]
    except ImportError:
        return None
    finally:
        sys.path[:] = before
