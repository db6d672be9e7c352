"""Folders that this interpreter imports from, outside /usr: what a confined copy of it must be able to read."""

import json
import os
import sys


def library_folders():
    wanted = [sys.base_prefix, sys.prefix, *sys.path]
    folders = []
    for folder in sorted({os.path.realpath(path) for path in wanted if path and os.path.exists(path)}):
        inside = [known for known in ["/usr", *folders] if folder == known or folder.startswith(known + "/")]
        if not inside:
            folders.append(folder)
    return folders


if __name__ == "__main__":
    print(json.dumps({"executable": sys.executable, "folders": library_folders()}))
