"""The tests' own PostgreSQL server."""

import psycopg
import pytest

from tests.postgres import Postgres


def test_each_database_is_new_and_has_our_schema(postgres: Postgres) -> None:
    """Two databases of one server have the tables of the migrations, and what is written in one is not in the other."""
    with postgres.database() as one, postgres.database() as other:
        with postgres.connect(Postgres.name_of(one)) as connection:
            connection.execute("INSERT INTO meta (name, value) VALUES ('x', 'y')")
        with postgres.connect(Postgres.name_of(other)) as connection:
            assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)


def test_a_server_comes_back_with_what_it_held(postgres: Postgres) -> None:
    """A server that is stopped refuses, and started again on the same port it has its databases."""
    server = Postgres().start()
    try:
        name, port = server.create(), server.port
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            server.connect(name)
        server.start()
        assert server.port == port
        server.connect(name).close()
    finally:
        server.close()


def test_a_dropped_database_is_gone(postgres: Postgres) -> None:
    """Dropping ends the sessions that are open there."""
    name = postgres.create()
    session = postgres.connect(name)
    postgres.drop(name)
    with pytest.raises(psycopg.OperationalError):
        postgres.connect(name)
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
