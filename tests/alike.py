"""Engines of one kind share their compiled statements, where SQLAlchemy compiles them anew for each.

A process of the bot has one engine and compiles a statement once. A process of tests has thousands, and a tenth of its work
was to compile the same statements for each. SQLAlchemy keeps them by their dialect, so ours are the same as any other of their
class (docs.sqlalchemy.org, "SQL Compilation Caching" and "Registering New Dialects").
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_COMPILED: dict[Any, Any] = {}


class _Alike:
    """As good as any other one of its class: all servers and files of the tests are of one version."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class PostgresqlDialect(_Alike, PGDialect_psycopg):
    supports_statement_cache = True


class SqliteDialect(_Alike, SQLiteDialect_pysqlite):
    supports_statement_cache = True


def share_compiled_statements() -> None:
    """For all engines that this process and its forks make from now on."""
    registry.register("postgresql.psycopg", __name__, PostgresqlDialect.__name__)
    for name in ("sqlite", "sqlite.pysqlite"):
        registry.register(name, __name__, SqliteDialect.__name__)
