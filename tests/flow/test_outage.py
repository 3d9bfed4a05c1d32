"""The bot's own database is full, read-only or gone: nothing is approved, everybody is told, and it goes on when it is back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.outages import OnlyReading, SmallDisk, server_of_its_own
from tests.flow.world import World
from tests.postgres import Postgres

ABOUT_SQLITE = pytest.mark.sqlite_only("a SQLite file that may not grow")


@pytest.fixture
def disk(world: World) -> SmallDisk:
    assert world.bot is not None
    return SmallDisk(world.bot.store.engine)


def told_channel(world: World, words: str) -> int:
    return sum(words in world.slack.read(message) for message in world.slack.messages(world.certs))


def wait_channel(world: World, words: str, timeout: float = 15) -> None:
    world.slack.wait_for(lambda: told_channel(world, words) > 0, timeout)


@ABOUT_SQLITE
def test_a_click_that_cannot_be_saved_is_answered_with_the_cause(world: World, disk: SmallDisk) -> None:
    """With a full disk an approval is answered at once as not taken, with the cause, and approves nothing, also later."""
    card = world.ask(world.fill_trusted)
    disk.full = True
    delivery = world.approve(card)
    assert delivery.ack_ms is not None
    assert delivery.ack_ms < 1500
    said = world.wait_told(world.ana, "not taken")
    assert "nothing has changed" in said
    assert "has to make room" in said
    assert said.endswith("[disk_full]")
    disk.full = False
    wait_channel(world, "works again")
    assert "*pending*" in world.card(card)
    assert world.hq.count("certificate/create") == 0
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.verify_chain()


@ABOUT_SQLITE
def test_the_channel_is_told_once_and_once_when_it_is_back(
    world: World, disk: SmallDisk, capfd: pytest.CaptureFixture[str]
) -> None:
    """However much fails during an outage, the channel and the log are told once that it began, and once that it is over."""
    card = world.ask(world.fill_trusted)
    disk.full = True
    for person in (world.ana, world.ben, world.carl):
        world.approve(card, person)
    wait_channel(world, "Nothing can be asked for or approved")
    disk.wait_refused(2)  # the bot looks again, and it is not back
    assert told_channel(world, "Nothing can be asked for or approved") == 1
    disk.full = False
    wait_channel(world, "works again")
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert told_channel(world, "Nothing can be asked for or approved") == 1
    assert told_channel(world, "works again") == 1
    said = capfd.readouterr().out
    assert said.count("database.outage") == 1
    assert said.count("database.back") == 1


@ABOUT_SQLITE
def test_a_form_that_cannot_be_saved_loses_nothing(world: World, disk: SmallDisk) -> None:
    """A submission during an outage is answered in the form with the cause; submitted again later, it is taken."""
    form = world.fill_trusted(world.open_form())
    disk.full = True
    assert form.submit().outcome == "acked"
    assert "[disk_full]" in " ".join(form.errors.values())
    disk.full = False
    world.check(form)
    assert form.view["callback_id"] == "confirm"


@ABOUT_SQLITE
def test_a_confirmation_that_cannot_be_saved_can_be_pressed_again(world: World, disk: SmallDisk) -> None:
    """Ask for approval, pressed during an outage, shows why on top; nothing is asked for until it is pressed again."""
    form = world.check(world.fill_trusted(world.open_form()))
    disk.full = True
    form.submit()
    notice = world.tess.modals[-1]
    assert "[disk_full]" in " ".join(notice.texts())
    disk.full = False
    notice.close()
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) == 1)


@ABOUT_SQLITE
def test_nothing_is_sent_that_cannot_be_recorded(world: World, disk: SmallDisk) -> None:
    """When the disk fills up before a call's intent is committed, the call is not made; it is made once there is room."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/list", 0.5)
    lists = world.hq.count("certificate/list")
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/list") > lists)
    disk.full = True
    wait_channel(world, "Nothing can be asked for or approved")
    assert world.hq.count("certificate/create") == 0
    assert world.hq.count("certificate/upload") == 0
    disk.full = False
    world.hq.trouble.clear()
    wait_channel(world, "works again")
    world.skip_until(lambda: world.count_lines(card, "now lists") == 1, seconds=6)
    assert world.hq.count("certificate/create") == 1


@ABOUT_SQLITE
def test_an_outcome_that_could_not_be_recorded_is_found_by_looking(world: World, disk: SmallDisk) -> None:
    """The PBX took the certificate and the disk was full: once there is room the bot looks, finds it, and adds no second."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/create", 0.5)
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
    disk.full = True
    wait_channel(world, "Nothing can be asked for or approved")
    disk.full = False
    world.hq.trouble.clear()
    wait_channel(world, "works again")
    world.skip_until(lambda: world.count_lines(card, "now lists") == 1, seconds=6)
    lines = world.thread(card)
    assert world.hq.count("certificate/create") == 1
    assert len(world.hq.certificates) == 1
    assert len(lines) == len(set(lines)), lines
    world.wait_card(card, "done")
    world.verify_chain()


@ABOUT_SQLITE
def test_a_database_that_can_only_be_read(world: World) -> None:
    """A database that is read-only approves nothing and says so; it can still be asked how things stand."""
    assert world.bot is not None
    reading = OnlyReading(world.bot.store.engine)
    card = world.ask(world.fill_trusted)
    reading.on = True
    world.approve(card)
    assert world.wait_told(world.ana, "not taken").endswith("[read_only]")
    wait_channel(world, "Nothing can be asked for or approved")
    asked = world.tess.command("/pbx-cert", "status 1", world.certs)
    assert asked.outcome == "acked"
    world.wait_told(world.tess, "pending")
    reading.on = False
    wait_channel(world, "works again")
    world.approve(card)
    world.wait_thread(card, "now lists")


@ABOUT_SQLITE
def test_slack_not_taking_the_word_of_an_outage_does_not_matter(world: World, disk: SmallDisk) -> None:
    """Where Slack refuses to post that there is an outage, its end is not told either, and the bot goes on all the same."""
    card = world.ask(world.fill_trusted)
    posts = world.slack_calls("chat.postMessage")
    world.slack.trouble.fail("chat.postMessage", "is_archived")
    disk.full = True
    world.approve(card)
    world.slack.wait_for(lambda: world.slack_calls("chat.postMessage") == posts + 1)
    disk.wait_refused(2)  # the bot goes on looking
    disk.full = False
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.stop()
    assert told_channel(world, "Nothing can be asked for") == 0
    assert told_channel(world, "works again") == 0


# PostgreSQL, stopped and started again


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[World, Postgres]]:
    with server_of_its_own() as (server, url):
        world = World(tmp_path, database_url=url)
        yield world.start(), server
        world.close()


def test_a_server_that_is_gone_for_a_while(served: tuple[World, Postgres]) -> None:
    """PostgreSQL is stopped with a request under way: clicks are refused with the cause, and after its start all goes on."""
    world, server = served
    going, open_ = world.ask(world.fill_apply), world.ask(world.fill_trusted)
    world.approve(going)
    world.wait_thread(going, "applying for")
    server.stop("fast")
    world.approve(open_)
    assert world.wait_told(world.ana, "not taken").endswith("[database_gone]")
    wait_channel(world, "Nothing can be asked for or approved")
    server.start()
    wait_channel(world, "works again")
    world.skip_until(lambda: world.count_lines(going, "now lists") == 1, seconds=6)
    assert "*pending*" in world.card(open_)
    world.approve(open_)
    world.wait_thread(open_, "now lists")
    assert world.hq.count("certificate/create") == 2
    world.verify_chain()
