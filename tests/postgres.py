"""A PostgreSQL server of the tests' own, from Debian's package: made in a temporary folder, ended by its process id."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.schema import migrate

#: Those whom a root shell lends itself to, because PostgreSQL refuses to run as root.
OTHER_USERS = ("postgres", "nobody")
#: What the tests want of the server. Nothing here survives the machine's crash, and nothing needs to: it is the bot that is
#: killed. A deadlock is found, and said in the log, sooner than by default.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "32MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "log_lock_waits": "on",
    "deadlock_timeout": "500ms",
}
TEMPLATE = "migrated"
USER = "bot"
#: Seconds for a server to begin or to end; a loaded machine needs a few.
PATIENCE = 60


def binaries() -> Path | None:
    """The folder that holds initdb and postgres: Debian's newest, or wherever PATH finds it."""
    versions = Path("/usr/lib/postgresql")
    numbers = [each for each in versions.iterdir() if each.name.isdigit()] if versions.is_dir() else []
    debian = [each / "bin" for each in sorted(numbers, key=lambda each: int(each.name), reverse=True)]
    found = shutil.which("initdb")
    on_path = [Path(found).resolve().parent] if found else []
    return next((each for each in (*debian, *on_path) if (each / "initdb").exists() and (each / "postgres").exists()), None)


def unavailable() -> str:
    """Why there can be no server here; empty when there can."""
    if binaries() is None:
        return "there is no PostgreSQL on this machine (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and _other_user() is None:
        return f"PostgreSQL does not run as root, and there is no user of these: {', '.join(OTHER_USERS)}"
    return ""


def _other_user() -> pwd.struct_passwd | None:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next((known[name] for name in OTHER_USERS if name in known), None)


class Postgres:
    """One server with a cluster of its own. Skips the test, saying why, where there is no PostgreSQL.

    The server ends with the thread that started it, should nobody have called `close`: start it from one that lasts, such as
    a fixture's. ``settings`` go over `SETTINGS`.
    """

    def __init__(self, **settings: str) -> None:
        if reason := unavailable():
            pytest.skip(reason)
        self._settings = {**SETTINGS, **settings}
        self._user = _other_user() if os.geteuid() == 0 else None
        self._bin = binaries() or Path()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._template = threading.Lock()
        self._has_template = False
        self._give_away(self.folder)
        self._initialise()

    def _give_away(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _initialise(self) -> None:
        wishes = ["--username", USER, "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8"]
        initdb = [str(self._bin / "initdb"), "--pgdata", str(self._data), *wishes]
        done = subprocess.run(initdb, capture_output=True, text=True, check=False, **self._as_other_user())
        assert done.returncode == 0, done.stderr

    def _as_other_user(self) -> dict[str, Any]:
        """Where to run it, as whom."""
        if self._user is None:
            return {"cwd": self.folder}
        return {"cwd": self.folder, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def log_text(self) -> str:
        """All that the server said since the cluster was made: lock waits, deadlocks, refused statements."""
        return self.log.read_text(errors="replace")

    # Its life

    def start(self) -> "Postgres":
        """Return once it takes connections; the port stays the same from one start to the next."""
        assert self._process is None, "the server is running"
        for _ in range(5):
            self.port = self.port or _free_port()
            if self._begin():
                return self
            self.port = 0  # somebody else was faster to take it
        raise AssertionError(f"PostgreSQL does not start:\n{self.log_text()}")

    def _begin(self) -> bool:
        flags = [flag for name, value in self._settings.items() for flag in ("-c", f"{name}={value}")]
        # The server ends at once when the tests are killed.
        leash = ["setpriv", "--pdeathsig", "QUIT", "--"] if shutil.which("setpriv") else []
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*leash, self._bin / "postgres", "-D", self._data, "-p", str(self.port), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_other_user(),
            )  # fmt: skip
        return self._answers()

    def _answers(self) -> bool:
        """Whether it takes connections before it ends or our patience does."""
        assert self._process is not None
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)  # a pause between two looks
            else:
                return True
        self.stop("immediate")
        return False

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def stop(self, mode: str = "fast") -> None:
        """``smart`` waits for its clients, ``fast`` ends their sessions, ``immediate`` ends as a crash does."""
        if self._process is None:
            return
        number = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        self._process.send_signal(number)
        self._process.wait(PATIENCE)
        self._process = None

    def close(self) -> None:
        """The end of the server and of all that it held."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    # Its databases

    def url(self, database: str) -> str:
        """As in ``database.url`` of the configuration."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def _conninfo(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user={USER} dbname={database}"

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection that commits each statement, for a test that looks or meddles."""
        return psycopg.connect(self._conninfo(database), autocommit=True)

    def create(self, database: str = "", *, migrated: bool = True) -> str:
        """A new database, with our schema and nothing in it; returns its name."""
        self._made += 1
        database = database or f"test_{self._made}"
        if migrated:
            self._make_template()
        template = TEMPLATE if migrated else "template0"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
        with self._template, self.connect("postgres") as connection:
            connection.execute(statement)
        return database

    def _make_template(self) -> None:
        """Migrated once a server; the others are copies."""
        with self._template:
            if self._has_template:
                return
            with self.connect("postgres") as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
            migrate(self.url(TEMPLATE))
            self._has_template = True

    def drop(self, database: str) -> None:
        """Also while somebody is connected to it."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database, dropped at the end."""
        name = self.create()
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    @staticmethod
    def name_of(url: str) -> str:
        """The database that a URL of `url` names."""
        return url.rsplit("/", 1)[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
