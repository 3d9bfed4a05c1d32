"""`/pbx-cert pending`, `mine` and `history`: what they answer, to whom, and how their pages are turned."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.sandbox.slack import Person
from bot.store.tables import RequestRow
from tests.flow.homes import ask
from tests.flow.world import World

READ = "usergroups.users.list"


def answers(world: World, person: Person) -> list[dict[str, Any]]:
    return [message for message in person.messages(world.certs) if message.get("is_ephemeral")]


def said(world: World, person: Person, words: str) -> str:
    """What the command answers, to this person alone."""
    before = len(answers(world, person))
    delivery = person.command("/pbx-cert", words, world.certs)
    assert delivery.outcome == "acked"

    def told() -> list[str]:
        """Without the word that Slack has to be asked first."""
        texts = [world.slack.read(answer) for answer in answers(world, person)[before:]]
        return [text for text in texts if not text.startswith("Looking wh")]

    return world.slack.wait_for(told)[-1]


def test_pending_shows_what_is_open_and_marks_what_waits(world: World) -> None:
    """Everything open is shown, newest first, with the way to its card; a mark stands only where it waits for the reader."""
    card = ask(world, world.fill_trusted)
    ask(world, world.fill_trusted, world.ana)
    told = said(world, world.ana, "pending")
    assert told.index("#2") < told.index("#1")
    first, second = (line for line in told.splitlines() if "Trusted CA certificate for `hq`: *pending*" in line)
    assert "waits for you" not in first
    assert "👉 *waits for you*" in second
    assert f"/archives/{card['channel']}/p{card['ts'].replace('.', '')})" in second
    assert "waits for you" not in said(world, world.carl, "pending")
    assert answers(world, world.ben) == []


def test_pending_has_only_what_is_open(world: World) -> None:
    """What was decided is not pending any more; where nothing is, that is said."""
    card = ask(world, world.fill_trusted)
    world.reject(card, "Not this one")
    world.wait_card(card, "rejected")
    assert "There is none." in said(world, world.ana, "pending")


def test_mine_is_what_one_asked_for(world: World) -> None:
    """One's own requests, open or not, with who decided them, and nobody else's."""
    card = ask(world, world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    ask(world, world.fill_trusted, world.carl)
    told = said(world, world.tess, "mine")
    assert "*approved, done*" in told
    assert "approved by @Ana Lead" in told
    assert "#2" not in told
    assert "There is none." in said(world, world.ben, "mine")


def test_history_of_a_pbx_a_person_and_a_name(world: World) -> None:
    """History is of everything, of one PBX however its name is written, of one person by id or as Slack escapes them, or of a
    host name and those below it."""
    ask(world, world.fill_apply)
    ask(world, world.fill_trusted, world.ana, pbx="branch")
    named(world, 1, " pbx.example.com ")
    assert shown(said(world, world.carl, "history")) == [2, 1]
    assert shown(said(world, world.carl, "history HQ")) == [1]
    assert shown(said(world, world.carl, f"history <@{world.ana.id}>")) == [2]
    assert shown(said(world, world.carl, f"history <@{world.ana.id}|ana>")) == [2]
    assert shown(said(world, world.carl, f"history {world.tess.id}")) == [1]
    assert shown(said(world, world.carl, "history example.com")) == [1]
    assert shown(said(world, world.carl, "history PBX.example.com.")) == [1]
    assert shown(said(world, world.carl, "history ample.com")) == []


def named(world: World, number: int, names: str) -> None:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        session.execute(update(RequestRow).where(RequestRow.id == number).values(names=names))


def shown(told: str) -> list[int]:
    """The numbers of the requests, in order."""
    return [int(line.split("*#")[1].split()[0].strip("*")) for line in told.splitlines() if "*#" in line]


def test_a_name_is_no_id(world: World) -> None:
    """A person by name is refused with the way to their id, and what is nothing at all with what it could have been."""
    assert "Copy member ID" in said(world, world.tess, "history @ana")
    told = said(world, world.tess, "history <!channel>")
    assert "is no PBX, no person and no host name" in told
    (message,) = answers(world, world.tess)[-1:]
    assert "<!channel>" not in message["text"]


def test_pages_are_turned_in_place(world: World) -> None:
    """Older and Back to the newest replace the private answer that they stand in; nothing is shown twice or left out."""
    for _ in range(11):
        ask(world, world.fill_trusted)
    assert shown(said(world, world.tess, "history hq")) == list(range(11, 1, -1))
    (message,) = answers(world, world.tess)[-1:]
    turned(world, message, "list_older", "#1 ")
    assert shown(reading(world, message)) == [1]
    turned(world, message, "list_newest", "#11 ")
    assert shown(reading(world, message)) == list(range(11, 1, -1))
    assert answers(world, world.tess)[-1]["ts"] == message["ts"]


def reading(world: World, message: dict[str, Any]) -> str:
    (now,) = [one for one in world.tess.messages(world.certs) if one["ts"] == message["ts"]]
    return world.slack.read(now)


def turned(world: World, message: dict[str, Any], button: str, words: str) -> None:
    assert world.tess.click(message, button).outcome == "acked"
    world.slack.wait_for(lambda: words in reading(world, message))


def test_what_a_button_says_is_checked_again(world: World) -> None:
    """Whatever page a button claims, its presser sees what they themselves may see, and a value that is none of ours shows
    nothing."""
    ask(world, world.fill_trusted, world.carl)
    for _ in range(11):
        ask(world, world.fill_trusted)
    said(world, world.tess, "mine")
    (message,) = answers(world, world.tess)[-1:]
    for forged in ('{"a":-1,"l":"mine","q":""}', '{"a":1,"l":"secrets","q":""}', "[]", '{"a":true,"l":"mine","q":""}'):
        assert world.tess.click(changed(message, forged), "list_older", forged, as_seen=True).outcome == "acked"
        world.wait_told(world.tess, "[internal]")
    turned(world, message, "list_older", "#2 ")
    assert shown(reading(world, message)) == [2]


def changed(message: dict[str, Any], value: str) -> dict[str, Any]:
    """The message with another value in its button, as somebody could send it."""
    copy: dict[str, Any] = json.loads(json.dumps(message))
    for block in copy["blocks"]:
        for element in block.get("elements", []):
            if element.get("action_id") == "list_older":
                element["value"] = value
    return copy


def test_only_readers_read(quiet: World) -> None:
    """Where a rule names who may read, the lists and status show the request to them, its requester and its approvers, and to
    nobody else; one that a group decides is answered once Slack has said who is in it."""
    readers = quiet.slack.add_group("readers", [quiet.ben])
    rule = f'[[policy]]\npbx = ["hq"]\nread = ["{readers}"]\nall = [{{ of = ["{quiet.ana.id}"] }}]\n'
    world = quiet.start_with(appended(quiet, rule))
    ask(world, world.fill_trusted)
    for person, sees in ((world.ana, True), (world.ben, True), (world.tess, True), (world.carl, False)):
        assert shown(said(world, person, "pending")) == [1] * sees, person
        assert shown(said(world, person, "history")) == [1] * sees, person
        assert ("*pending*" in said(world, person, "status 1")) is sees, person
        assert ("You may not read #1" in said(world, person, "status 1")) is not sees, person
        assert ("You may not read #1" in said(world, person, "why 1")) is not sees, person
    world.clock.advance(minutes=6)
    world.slack.trouble.fail(READ, "plan_upgrade_required", times=100)
    assert "[membership_unknown]" in said(world, world.carl, "status 1")
    told = said(world, world.carl, "pending")
    assert shown(told) == []
    assert "[membership_unknown]" in told


def appended(world: World, lines: str) -> Path:
    path = world.write_config()
    path.write_text(f"{path.read_text()}\n{lines}")
    return path


def test_a_database_that_cannot_be_read_is_said(world: World) -> None:
    """The answer is then the cause, and nothing looks like an empty list."""
    assert world.bot is not None
    world.bot.store.close()
    told = said(world, world.tess, "mine")
    assert "could not be read" in told
    assert "[stopping]" in told
