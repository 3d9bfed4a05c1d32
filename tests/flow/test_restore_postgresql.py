"""A PostgreSQL database that was put back with its own tools, as the README says."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.flow.test_cli import Call, call
from tests.flow.test_restore import number
from tests.postgres import Postgres, binaries

__all__ = ["call"]


@pytest.fixture
def database(postgres: Postgres) -> str:
    """On PostgreSQL, whatever the other tests run on."""
    return postgres.url(postgres.create())


def tool(name: str, url: str, *words: str) -> None:
    """One of PostgreSQL's programs, on the database of a URL of ours."""
    found = (binaries() or Path()) / name
    program = str(found) if found.exists() else shutil.which(name)
    if program is None:
        pytest.skip(f"there is no {name} here")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([program, "--dbname", plain, *words], check=True)


def test_a_dump_that_was_put_back(call: Call) -> None:
    """Once `restored` has said so, the next start voids what was open in the dump, and gives no number again."""
    world = call.world.start()
    card = world.ask(world.fill_trusted)
    file = world.folder / "dump"
    code, said = call("backup", str(file))
    assert code == 1
    assert "pg_dump --format=custom --file=FILE" in said
    assert not file.exists()
    tool("pg_dump", world.database_url, "--format=custom", f"--file={file}")
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    world.ask(world.fill_import)
    world.stop()
    tool("pg_restore", world.database_url, "--clean", "--if-exists", str(file))
    code, said = call("restored")
    assert code == 0
    assert "The next start" in said
    world.start()
    world.wait_card(card, "*void*")
    world.wait_thread(card, "put back from a backup")
    assert number(world.ask(world.fill_import), world) not in ("#1", "#2")
    assert world.hq.count("certificate/create") == 1
    world.verify_chain()
    world.stop()
