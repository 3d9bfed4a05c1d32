"""Where the tests keep what they forget again: in memory, where this machine has a file system for that.

On a disk they mostly wait for it: a fresh PostgreSQL database takes a quarter of a second there, and a fiftieth here. Nothing
of it has to survive the machine.
"""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
#: Bytes that have to be free there. Four workers with a server each take about a tenth of it; a container's default is less.
_NEEDED = 2 * 1024**3


def keep_in_memory() -> None:
    """For this process and its children, unless ``TMPDIR`` names another place."""
    if "TMPDIR" not in os.environ and _is_large_enough():
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _is_large_enough() -> bool:
    return _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_MEMORY).free >= _NEEDED
