"""A backup that is put back: nothing is replayed, and everybody is told."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.exceptions import StoreUnavailable
from bot.store.backup import backup
from tests.flow.test_cli import Call, call
from tests.flow.world import World

__all__ = ["call"]

pytestmark = pytest.mark.sqlite_only("pg_dump copies PostgreSQL")


def copy(world: World) -> Path:
    """A backup of the running bot's database."""
    file = world.folder / "copy.db"
    backup(world.database_url, file, world.clock())
    return file


def put_back(world: World, file: Path) -> None:
    """What the README says to do."""
    world.stop()
    for name in ("bot.db-wal", "bot.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    file.replace(world.folder / "bot.db")


def number(card: dict[str, Any], world: World) -> str:
    return world.card(card).split(" ")[0]


def test_what_was_decided_since_is_not_done_again(world: World) -> None:
    """A request that was pending in the backup and done since is void: its card and thread say so, and no click revives it."""
    card = world.ask(world.fill_trusted)
    file = copy(world)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    put_back(world, file)
    world.start()
    world.wait_card(card, "*void*")
    lines = world.wait_thread(card, "*void*")
    assert "put back from a backup" in lines[-1]
    world.ben.click(card, "approve", as_seen=True)
    world.wait_told(world.ben, "is not open any more")
    assert world.hq.count("certificate/create") == 1
    assert len(world.cards()) == 1
    world.verify_chain()


def test_what_was_under_way_is_looked_for_and_not_sent_again(world: World) -> None:
    """A request whose call was on its way in the backup is unknown, is found by looking, and ends; nothing is sent again."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/create", 2)
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
    file = copy(world)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    world.hq.trouble.clear()
    put_back(world, file)
    world.start()
    world.wait_thread(card, "put back from a backup")
    world.slack.wait_for(lambda: world.count_lines(card, "now lists") == 2, timeout=20)
    world.wait_card(card, "done")
    assert (world.hq.count("certificate/create"), world.hq.count("certificate/upload")) == (1, 1)
    assert secrets_in(world.folder / "bot.db") == 0
    world.verify_chain()


def test_what_waited_in_the_queue_is_not_begun(world: World) -> None:
    """A request that was approved and not begun in the backup is not begun after it: a person is asked."""
    first, second = world.ask(world.fill_trusted), world.ask(world.fill_import)
    world.hq.trouble.slow("certificate/create", 2)
    world.approve(first)
    world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
    world.approve(second)
    world.wait_card(second, "queued")
    file = copy(world)
    world.stop()
    world.hq.trouble.clear()
    uploads = world.hq.count("certificate/upload")
    put_back(world, file)
    world.start()
    world.wait_thread(second, "put back from a backup")
    world.wait_thread(second, "say here or on the card what you see")
    assert world.hq.count("certificate/upload") == uploads
    assert world.hq.count("certificate/create") == 1


def test_what_was_done_stays_done(world: World) -> None:
    """A request that had ended in the backup is left as it is, and nothing more is said of it."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    other = world.ask(world.fill_import)
    lines = world.thread(card)
    put_back(world, copy(world))
    world.start()
    world.wait_thread(other, "*void*")
    assert world.thread(card) == lines
    assert "done" in world.card(card)


def test_numbers_are_not_given_again(world: World) -> None:
    """A card of a request that the backup does not know never becomes another request's: its buttons do nothing."""
    world.ask(world.fill_trusted)
    file = copy(world)
    lost = world.ask(world.fill_import)
    put_back(world, file)
    world.start()
    world.slack.wait_for(lambda: world.slack.messages(world.branch_channel))
    new = world.ask(world.fill_import)
    assert number(new, world) not in ("#1", "#2")
    for channel in (world.certs, world.branch_channel):
        told = [world.slack.read(message) for message in world.slack.messages(channel)]
        assert sum("is not known any more" in text for text in told) == 1
    world.ana.click(lost, "approve")
    world.wait_told(world.ana, "There is no such request")
    assert world.hq.count("certificate/create") == 0


def test_a_card_that_the_backup_does_not_know_of_is_not_posted_twice(world: World) -> None:
    """Posted after the backup, a card and its lines are found in the channel by their ids."""
    world.slack.trouble.delay("chat.postMessage", 2, before=True)
    form = world.check(world.fill_trusted(world.open_form()))
    form.submit()
    file = copy(world)
    world.slack.wait_for(lambda: len(world.cards()) == 1)
    world.slack.trouble.clear()
    put_back(world, file)
    world.start()
    card = world.cards()[0]
    world.skip_until(lambda: "*void*" in world.card(card), seconds=15)
    assert len(world.cards()) == 1


def test_an_old_log_beside_a_backup_is_refused(world: World) -> None:
    """Put over a database whose write-ahead log is still there, a backup is not opened, for SQLite would destroy it."""
    file = copy(world)
    world.ask(world.fill_trusted)
    log = (world.folder / "bot.db-wal").read_bytes()
    put_back(world, file)
    (world.folder / "bot.db-wal").write_bytes(log)
    with pytest.raises(StoreUnavailable, match="belongs to another database"):
        world.start()
    (world.folder / "bot.db-wal").unlink()
    world.start()


def test_the_commands(call: Call) -> None:
    """`backup` runs beside the bot and says what it copied; `migrate` does not run beside it, and then says what is void."""
    world = call.world.start()
    world.ask(world.fill_trusted)
    file = world.folder / "copy.db"
    code, said = call("backup", str(file))
    assert code == 0
    assert "events, unbroken. Head: " in said
    assert file.stat().st_mode & 0o777 == 0o600
    assert call("backup", str(file)) == (
        1, f"The backup was not made. {file} exists already, and a backup is not written over anything. [no_backup]\n",
    )  # fmt: skip
    code, said = call("migrate")
    assert code == 1
    assert "Another bot is running" in said
    put_back(world, file)
    code, said = call("migrate")
    assert code == 0
    assert "Void: #1. Unknown: none." in said
    assert call("migrate") == (0, "The database is up to date.\n")


def test_a_database_put_back_by_other_means(call: Call) -> None:
    """After `restored`, the next start voids what was open, as with a file of `backup`."""
    world = call.world.start()
    card = world.ask(world.fill_trusted)
    world.stop()
    code, said = call("restored")
    assert code == 0
    assert "The next start takes it" in said
    world.start()
    world.wait_card(card, "*void*")


def secrets_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return int(database.execute("SELECT count(*) FROM secrets").fetchone()[0])
