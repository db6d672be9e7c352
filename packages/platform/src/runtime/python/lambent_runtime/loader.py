"""From a handler's name to the function: module.function, package/module.function."""

import importlib
import sys

from .errors import RuntimeFault


def load_handler(handler):
    """Raises RuntimeFault with Lambda's names, or whatever the module itself raised."""
    module_name, dot, function_name = handler.rpartition(".")
    if not dot or not module_name or not function_name:
        raise RuntimeFault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)")
    module_path = module_name.replace("/", ".")
    if module_path.split(".")[0] in sys.builtin_module_names:
        raise RuntimeFault("Runtime.ImportModuleError", f"Cannot use built-in module {module_path} as a handler module")
    try:
        module = importlib.import_module(module_path)
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", f"Unable to import module '{module_path}': {error}") from error
    except SyntaxError as error:
        raise RuntimeFault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_path}': {error}") from error
    function = getattr(module, function_name, None)
    if function is None:
        raise RuntimeFault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_path}'")
    if not callable(function):
        raise RuntimeFault("Runtime.HandlerNotFound", f"Handler '{function_name}' of module '{module_path}' is not callable")
    return function
