"""Answers that never came, came broken, or came too late: the lists are asked, and nothing is done twice."""

from collections.abc import Callable

import pytest

from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Json
from tests.flow.world import World

CREATE = "certificate/create"
#: What one kind needs, and the name under which the PBX lists it.
KINDS = [("trusted", "corp-root-r1.crt"), ("import", "pbx-r1.pem"), ("apply", "pbx.example.com.pem")]
#: Ways in which an answer gets lost although the call had its effect.
LOST: dict[str, Callable[[World], None]] = {
    "dropped": lambda world: world.hq.trouble.drop(CREATE, after_effect=True),
    "truncated": lambda world: world.hq.trouble.truncate(CREATE),
    "gateway": lambda world: world.hq.trouble.html(CREATE, 502, after_effect=True),
}


def fill(world: World, kind: str) -> Callable[..., Modal]:
    fills: dict[str, Callable[..., Modal]] = {
        "trusted": world.fill_trusted,
        "import": world.fill_import,
        "apply": world.fill_apply,
    }
    return fills[kind]


def until_done(world: World, card: Json) -> list[str]:
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=31)
    return world.thread(card)


@pytest.mark.parametrize(("kind", "name", "lost"), [(*KINDS[0], "dropped"), (*KINDS[1], "dropped"), (*KINDS[2], "dropped"),
                                                    (*KINDS[0], "truncated"), (*KINDS[2], "gateway")])  # fmt: skip
def test_what_arrived_unanswered_is_found(world: World, kind: str, name: str, lost: str) -> None:
    """The answer to certificate/create is lost after its effect: the list shows it, and it is not made again."""
    card = world.ask(fill(world, kind))
    LOST[lost](world)
    world.approve(card)
    line = world.wait_thread(card, "was asked to add the certificate")[-1]
    assert "Whether it did is not known." in line
    lines = until_done(world, card)
    assert sum("The bot looked at `hq`: it had arrived." in line for line in lines) == 1
    assert world.hq.count(CREATE) == 1
    assert [one.name for one in world.hq.certificates] == [name]
    world.verify_chain()


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_what_did_not_arrive_is_made_again_after_looking_twice(world: World, kind: str, name: str) -> None:
    """Lost before its effect: only after two looks more than a minute after the call is it made again."""
    card = world.ask(fill(world, kind))
    world.hq.trouble.drop(CREATE, after_effect=False)
    world.approve(card)
    world.wait_thread(card, "was asked to add the certificate")
    lines = until_done(world, card)
    assert sum("it had not arrived, so the bot makes it again" in line for line in lines) == 1
    first, second = [call for call in world.hq.calls if call.path == CREATE]
    looks = [call for call in world.hq.calls[first.number + 1 : second.number] if call.path == "certificate/list"]
    late = [look.at for look in looks[:-1] if (look.at - first.at).total_seconds() >= 60]  # the last is before the call
    assert len(late) >= 2
    assert (late[-1] - late[0]).total_seconds() >= 60
    assert [one.name for one in world.hq.certificates] == [name]
    world.verify_chain()


def test_what_appears_late_is_found_and_not_made_again(world: World) -> None:
    """Nothing is listed at the first look and one is at the second: that is ours."""
    card = world.ask(world.fill_apply)
    world.hq.trouble.drop(CREATE, after_effect=False)
    world.approve(card)
    world.wait_thread(card, "was asked to add the certificate")
    before = world.hq.count("certificate/list")
    world.skip_until(lambda: world.hq.count("certificate/list") > before, seconds=31)
    world.hq.add_certificate("server", "pbx.example.com.pem", issue_to="pbx.example.com", ca_type="apply")
    until_done(world, card)
    assert world.hq.count(CREATE) == 1
    assert len(world.hq.certificates) == 1


def test_two_that_look_alike_are_for_a_person(world: World) -> None:
    """Two new entries for the domain after a lost answer: the bot does not guess, says unknown and asks people to look."""
    card = world.ask(world.fill_apply)
    world.hq.trouble.drop(CREATE, after_effect=True)
    world.approve(card)
    world.wait_thread(card, "was asked to add the certificate")
    world.hq.add_certificate("server", "by-hand.pem", issue_to="pbx.example.com", ca_type="apply")
    world.skip_until(lambda: bool(world.count_lines(card, "sends nothing more")), seconds=31)
    line = world.thread(card)[-1]
    assert "2 new certificates look like this one" in line
    assert "please have a look" in line
    assert "unknown" in world.wait_card(card, "unknown")
    assert world.hq.count(CREATE) == 1
    world.verify_chain()


def test_what_somebody_removed_before_the_last_look_is_for_a_person(world: World) -> None:
    """Taken by the PBX and gone before it could be confirmed: that is told as it is, not as done."""
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "*waiting*")
    world.hq.remove_certificate(world.hq.certificates[0].id)
    world.skip_until(lambda: bool(world.count_lines(card, "*unknown*")), seconds=31)
    assert "hq took the certificate and does not list it any more" in world.thread(card)[-1]
    assert world.hq.count(CREATE) == 1


def test_a_pbx_that_stays_away_after_a_lost_answer_ends_in_unknown(world: World) -> None:
    """Nobody can say whether it happened: after the bot's patience that is what the thread says."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop(CREATE, after_effect=True)
    world.approve(card)
    world.wait_thread(card, "was asked to add the certificate")
    world.hq.make_unreachable()
    world.skip_until(lambda: bool(world.count_lines(card, "sends nothing more")), minutes=31)
    line = world.thread(card)[-1]
    assert "Please look at the certificates on `hq`" in line
    assert "*failed*" not in " ".join(world.thread(card))


@pytest.mark.parametrize("kind", ["trusted", "import"])
def test_a_file_that_was_cleaned_away_is_uploaded_again(world: World, kind: str) -> None:
    """The PBX cleans its temporary files at 01:00: what was uploaded before is uploaded again, and there is one entry."""
    card = world.ask(fill(world, kind))
    world.hq.trouble.refuse(CREATE, 70082)
    world.approve(card)
    world.wait_thread(card, "a heavy task is running")
    world.stop()
    world.clock.advance(hours=25)
    assert world.hq.temporary_files == []
    world.start()
    lines = world.wait_thread(card, "now lists")
    assert sum("Uploaded as" in line for line in lines) == 2
    assert world.hq.count("certificate/upload") == 2
    assert len(world.hq.certificates) == 1
    world.verify_chain()


@pytest.mark.parametrize("path", ["certificate/list", "certificate/upload"])
@pytest.mark.parametrize(
    "meet",
    [
        lambda world, path: world.hq.trouble.html(path, 502),
        lambda world, path: world.hq.trouble.truncate(path),
        lambda world, path: world.hq.trouble.drop(path, after_effect=False),
    ],
    ids=["html", "truncated", "dropped"],
)
def test_a_harmless_call_is_made_again(world: World, path: str, meet: Callable[[World, str], None]) -> None:
    """A gateway's page, half an answer or none at all to a list or an upload is told once, and the call is made again."""
    card = world.ask(world.fill_trusted)
    meet(world, path)
    world.approve(card)
    line = world.wait_thread(card, "will try again by itself")[-1]
    assert "127.0.0.1" in line or "localhost" in line
    assert "<html" not in line.casefold()
    until_done(world, card)
    assert world.hq.count(CREATE) == 1
    assert len(world.hq.certificates) == 1


def test_a_gateway_at_the_check_is_told_on_the_card(world: World) -> None:
    """A gateway's page at the check makes the slots unknown, in words, without its HTML."""
    world.hq.trouble.html("certificate/list", 502)
    card = world.ask(world.fill_trusted)
    assert "Something else answers there, or a gateway cannot reach the PBX." in world.card(card)
    assert "<html" not in world.card(card).casefold()


@pytest.mark.parametrize("path", ["certificate/list", "certificate/upload", CREATE])
def test_a_token_that_expires_in_the_middle_is_renewed(world: World, path: str) -> None:
    """10004 to any call: the token is renewed once and the call made again, and nobody has to be told."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse(path, 10004, "TOKEN EXPIRED")
    world.approve(card)
    lines = world.wait_thread(card, "now lists")
    assert not any("try again" in line for line in lines)
    assert len(world.hq.certificates) == 1
    assert world.hq.logins == 1
    assert world.hq.count("refresh_token") == 1


def test_a_token_that_ran_out_while_people_decided_is_renewed(world: World) -> None:
    """Approved hours after the check: the token is refreshed, not asked for anew; after a day there is one new login."""
    card = world.ask(world.fill_trusted)
    world.clock.advance(hours=7)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert (world.hq.logins, world.hq.count("refresh_token")) == (1, 1)
    world.clock.advance(hours=25)
    second = world.ask(lambda form: world.fill_import(form, world.leaf("other.example.com")))
    assert "1 of 3" not in world.card(second)
    assert "0 of 3 server slots used" in world.card(second)
    assert (world.hq.logins, world.hq.count("refresh_token")) == (2, 1)
    assert world.hq.live_tokens == 1


def test_a_pbx_that_forgot_all_tokens_is_logged_in_to_once(world: World) -> None:
    """A restarted PBX knows neither token: one login more, and the request is done."""
    card = world.ask(world.fill_trusted)
    port = world.hq.port
    world.hq.stop()
    world.hq.start(port)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert world.hq.logins == 2


def test_a_pbx_that_answers_strangely_is_understood(world: World) -> None:
    """Numbers as strings and a wrong content type change nothing."""
    world.hq.trouble.strings("*")
    world.hq.trouble.content_type("*", "text/html")
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "*waiting*")
    until_done(world, card)
    assert len(world.hq.certificates) == 1
