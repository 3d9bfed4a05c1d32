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
import time
import traceback
from pathlib import Path

import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - imported by the first certificate
import psycopg  # noqa: F401 - imported by the engine

from bot import logs
from tests.crash.victim import Victim
from tests.flow.world import World

#: Seconds until the threads of the bot that went ahead have certainly ended.
PATIENCE = 10.0


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
    """Let one bot live as every victim will, in this process, and keep what it leaves out of the way of the garbage collector:
    what is imported, built or looked up when it is first used is then there already, which is a third of a victim's work."""
    logs.configure("ERROR", sys.stderr)  # standard output is for whoever started us
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), issuance_polls=1).start()
        for fill in (world.fill_trusted, world.fill_import):
            card = world.ask(fill)
            world.approve(card)
            world.wait_thread(card, "*done*")
        world.close()
    _until_alone()
    gc.collect()
    gc.freeze()


def _until_alone() -> None:
    """The last thread of a server that was told to end may need a moment more."""
    until = time.monotonic() + PATIENCE
    while threading.active_count() > 1:
        assert time.monotonic() < until, f"still here: {threading.enumerate()}"
        time.sleep(0.01)


def _is_child() -> bool:
    assert threading.active_count() == 1, "forking with threads would copy locks that nobody opens"
    return os.fork() == 0


def _become_victim(line: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # whoever started the zygote waits for the end of these
        os.dup2(nothing, stream)
    gc.disable()  # it lives for seconds
    try:
        Victim(line).live()
    except BaseException:  # noqa: BLE001 - the last frame of a process, which never goes back into the loop that serves
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    serve(sys.argv[1])
