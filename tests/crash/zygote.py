"""A process that has imported the bot once, and becomes a fresh victim for whoever connects.

Importing takes a second and a half, and the crash matrix needs two processes a case. A fork is safe as long as there is one
thread, so this process does nothing else.
"""

import encodings.idna  # noqa: F401 - imported by the first call of every process
import gc
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import traceback

import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - imported by the first certificate
import psycopg  # noqa: F401 - imported by the engine

from bot.store.engine import Store, utc_now
from tests.crash.victim import Victim


def serve(address: str) -> None:
    """Fork for each connection, until standard input ends."""
    _warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(address)
        door.listen()
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for it
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            line, _ = door.accept()
            if _is_child():
                door.close()
                _become_victim(line)
            line.close()


def _warm_up() -> None:
    """Do once what every process would do when it first uses its database, and keep it out of the way of its garbage."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bot.db", bytes(32), utc_now)
        store.migrate()
        store.close()
    gc.collect()
    gc.freeze()


def _is_child() -> bool:
    assert threading.active_count() == 1, "forking with threads would copy locks that nobody opens"
    return os.fork() == 0


def _become_victim(line: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # whoever started the zygote waits for the end of these
        os.dup2(nothing, stream)
    try:
        Victim(line).live()
    except BaseException:  # noqa: BLE001 - the last frame of a process, which never goes back into the loop that serves
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    serve(sys.argv[1])
