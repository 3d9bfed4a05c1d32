"""A PBX that does not answer costs its own queue only: told once, left alone but for a probe, and told once when it is back."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from sqlalchemy import or_, select

from bot.doctor import Doctor
from bot.house import Waits
from bot.sandbox.pbx import PbxSimulator
from bot.store.tables import AgendaRow
from tests.flow.world import World

Card = Mapping[str, Any]

SILENT, BACK = "`hq` has not answered since", "`hq` answers again after"
AGAIN = "will try again by itself"
EVER = 10**6


def notices(world: World, words: str) -> list[str]:
    """What the channel was told of its PBX."""
    return [text for message in world.slack.messages(world.certs) if words in (text := world.slack.read(message))]


def wait_notice(world: World, words: str, times: int = 1) -> str:
    world.slack.wait_for(lambda: len(notices(world, words)) == times)
    return notices(world, words)[-1]


def silence(world: World) -> None:
    """Whoever calls hq gets no answer; the calls are in its record all the same."""
    world.hq.trouble.drop("*", after_effect=False, times=EVER)


def rest(world: World) -> None:
    """Wait until the bot has nothing in hand, so that no jump of the clock falls into the middle of a visit."""
    assert world.bot is not None
    for _ in range(1500):
        with world.bot.store.begin() as session:
            now = world.clock()
            busy = or_(AgendaRow.owner.is_not(None), AgendaRow.due_at <= now)
            if session.scalars(select(AgendaRow.id).where(busy).limit(1)).first() is None:
                return
        time.sleep(0.01)
    raise TimeoutError("The bot is still at work.")


def later(world: World, **by: float) -> None:
    """Let so much time pass, and the bot do what is due then."""
    rest(world)
    world.clock.advance(**by)
    rest(world)


def probed(world: World, **by: float) -> None:
    """Let so much time pass, in which hq is called once."""
    before = len(world.hq.calls)
    later(world, **by)
    assert len(world.hq.calls) == before + 1


def away(world: World, requests: int) -> list[Card]:
    """So many approved requests for an hq that has fallen silent."""
    cards: list[Card] = [world.ask(world.fill_trusted) for _ in range(requests)]
    silence(world)
    for card in cards:
        world.approve(card)
        world.wait_thread(card, AGAIN)
    while not notices(world, SILENT):
        later(world, seconds=11)
    return cards


def forget_the_draft(world: World) -> None:
    """A check of hq that nobody confirms."""
    form = world.check(world.fill_trusted(world.open_form()))
    assert form.view["callback_id"] == "confirm", form.texts()
    form.close()


def away_without_work(world: World) -> None:
    """hq fell silent while people were only filling in the form."""
    world.hq.make_unreachable()
    for _ in range(3):
        forget_the_draft(world)


def test_an_outage_is_told_once_and_the_queue_waits(world: World) -> None:
    """Told once, three requests wait without a connection, told once when it is back, and then all of them go on."""
    cards = away(world, 3)
    told = wait_notice(world, SILENT)
    assert "3 requests wait for it" in told
    assert "Nothing is lost" in told
    assert "closed the connection before its answer was complete" in told
    for _ in range(3):
        probed(world, minutes=11)
    world.hq.trouble.clear()
    later(world, minutes=11)
    for card in cards:
        world.wait_thread(card, "now lists")
        assert world.count_lines(card, AGAIN) == 1
    assert wait_notice(world, BACK).endswith("; the bot goes on with what waits.")
    assert len(notices(world, SILENT)) == 1
    # Whichever was being looked at when it came back is the last of them to be due.
    assert {one.name for one in world.hq.certificates} == {f"corp-root-r{number}.crt" for number in (1, 2, 3)}
    assert len(world.hq.certificates) == 3
    world.verify_chain()


def test_it_is_back_although_nobody_waits(world: World) -> None:
    """Where nobody has work for it, the bot looks by itself, and the channel hears of both."""
    away_without_work(world)
    assert "wait" not in wait_notice(world, SILENT)
    world.hq.reachable()
    world.clock.advance(seconds=31)
    assert wait_notice(world, BACK).endswith("seconds.")
    world.hq.wait_for(lambda: len(world.hq.calls) > 1)  # the token's answer closes the breaker, and its call follows
    assert [call.path for call in world.hq.calls] == ["get_token", "certificate/list"]


def test_a_draft_is_answered_at_once(world: World) -> None:
    """While it is away a check costs no connection: the form comes back with the reason, and keeps what was typed."""
    away_without_work(world)
    wait_notice(world, SILENT)
    world.hq.reachable()
    form = world.check(world.fill_trusted(world.open_form()))
    assert form.view["callback_id"] == "form"
    assert any("hq has not answered since" in text and "[pbx_away]" in text for text in form.texts())
    assert (form.value("pbx"), form.value("reason")) == ("hq", "The new provider's phones")
    assert not world.hq.calls
    world.clock.advance(seconds=31)
    wait_notice(world, BACK)
    world.check(form)
    assert form.view["callback_id"] == "confirm"


def test_a_list_is_answered_at_once(world: World) -> None:
    """/pbx-cert list says so, too, without a call."""
    away_without_work(world)
    wait_notice(world, SILENT)
    world.hq.reachable()
    world.tess.command("/pbx-cert", "list hq", world.certs)
    world.wait_told(world.tess, "could not be asked: hq has not answered since")
    assert not world.hq.calls


def test_the_doctor_tells_of_it(world: World) -> None:
    """The doctor says that the PBX is left alone since when, looks for itself, and changes nothing about it."""
    away_without_work(world)
    wait_notice(world, SILENT)
    world.hq.reachable()
    assert world.bot is not None
    found = list(Doctor(world.bot.context.config, world.bot.store, world.clock).findings())
    left, seen = (one for one in found if one.what == "pbx hq")
    assert (left.good, seen.good) == (None, True)
    assert left.said.startswith("has not answered the bot since 20")
    assert not notices(world, BACK)


def test_lost_logins_are_rare(world: World) -> None:
    """A login without an answer may count on the PBX: after two there is none for ten minutes, then one at a time."""
    world.hq.make_unreachable()
    card = world.ask(world.fill_trusted)
    world.hq.reachable()
    world.hq.trouble.drop("get_token", after_effect=True, times=EVER)
    world.approve(card)
    while not notices(world, SILENT):
        later(world, seconds=11)
    lost = world.hq.logins
    assert lost <= 2
    for _ in range(9):
        later(world, minutes=1)
    assert world.hq.logins == lost
    probed(world, minutes=1)
    probed(world, minutes=10)
    assert world.hq.logins == lost + 2
    world.hq.trouble.clear()
    later(world, minutes=10)
    world.wait_thread(card, "now lists")


def test_a_restart_keeps_it(world: World) -> None:
    """A bot that is started in the middle of an outage leaves the PBX alone, tells nothing twice, and hears when it is back."""
    (card,) = away(world, 1)
    wait_notice(world, SILENT)
    calls = len(world.hq.calls)
    world.restart()
    other = world.ask(world.fill_trusted, pbx="branch")
    world.approve(other)
    world.wait_thread(other, "now lists")
    assert len(world.hq.calls) == calls
    world.hq.trouble.clear()
    later(world, seconds=61)
    world.wait_thread(card, "now lists")
    wait_notice(world, BACK)
    assert len(notices(world, SILENT)) == 1


def test_a_pbx_that_comes_and_goes_does_not_fill_the_channel(world: World) -> None:
    """Away again soon after it was back is told only if it lasts, and what lasts is told once, too."""
    away_without_work(world)
    for _ in range(3):
        world.hq.reachable()
        probed_back = world.hq.count("certificate/list") + 1
        later(world, seconds=31)
        assert world.hq.count("certificate/list") == probed_back
        away_without_work(world)
    assert (len(notices(world, SILENT)), len(notices(world, BACK))) == (1, 1)
    later(world, minutes=11)
    wait_notice(world, SILENT, times=2)
    world.hq.reachable()
    later(world, minutes=11)
    wait_notice(world, BACK, times=2)
    world.verify_chain()


def test_a_channel_that_refuses_the_notice(world: World) -> None:
    """Where Slack does not let the bot post, the operators are told directly, once each, and that is the end of it."""
    world.slack.trouble.fail("chat.postMessage", "not_in_channel")
    away_without_work(world)
    for lead in (world.ana, world.ben):
        assert "[not_in_channel]" in world.wait_told(lead, SILENT)
    world.hq.reachable()
    world.clock.advance(seconds=31)
    wait_notice(world, BACK)
    assert not notices(world, SILENT)
    assert sum(SILENT in text for text in world.told(world.ana)) == 1


def test_slack_is_down_meanwhile(world: World) -> None:
    """A notice that Slack does not take is told later; one whose answer was lost is not told twice."""
    world.slack.trouble.fail("chat.postMessage", status=503, times=2)
    world.slack.trouble.fail("chat.postMessage", drop=True, after_effect=True)
    away_without_work(world)
    world.skip_until(lambda: bool(notices(world, SILENT)), seconds=31)
    world.hq.reachable()
    world.skip_until(lambda: bool(notices(world, BACK)), seconds=31)
    assert (len(notices(world, SILENT)), len(notices(world, BACK))) == (1, 1)


def test_a_request_is_given_up_as_ever(world: World) -> None:
    """After an hour of silence a request fails, in the words of what went wrong, and nothing of it was sent."""
    (card,) = away(world, 1)
    world.skip_until(lambda: bool(world.count_lines(card, "*failed*")), minutes=61)
    assert "closed the connection before its answer was complete" in world.thread(card)[-1]
    assert "tries again" not in world.thread(card)[-1]
    assert not world.hq.count("certificate/upload")


def table(name: str, url: str, pbx: PbxSimulator | None, approvers: tuple[str, ...]) -> str:
    client, pin = (pbx.client_id, pbx.fingerprint) if pbx else ("nobody", "0" * 64)
    return (
        f'[[pbx]]\nname = "{name}"\nurl = "{url}"\nclient_id = "{client}"\ntls = "sha256:{pin}"\n'
        f'client_secret = {{ env = "SECRET_OF_{name.upper().replace("-", "_")}" }}\napprovers = {[*approvers]}\n'
    )


def test_hanging_pbxs_do_not_hold_up_the_others(quiet: World) -> None:
    """Of 20 PBXs 12 accept connections and never answer: their requests wait for them, and the others' are done at once."""
    world = quiet
    world.waits = Waits(pbx=45)  # a machine under load needs more than the usual time for all this
    with ExitStack() as running:
        dead = [running.enter_context(PbxSimulator(f"dead-{number}", now=world.clock)) for number in range(12)]
        tables = [table(pbx.name, pbx.url, pbx, world.approvers) for pbx in dead]
        tables += [table(f"idle-{number}", f"https://idle-{number}.example.org", None, world.approvers) for number in range(6)]
        world.pbx_lines = "".join(tables)
        secrets = {f"SECRET_OF_DEAD_{number}": pbx.client_secret for number, pbx in enumerate(dead)}
        world.start(**secrets, **{f"SECRET_OF_IDLE_{number}": "unused-secret" for number in range(6)})
        waiting = [world.ask(world.fill_trusted, pbx=pbx.name) for pbx in dead]
        others = [world.ask(world.fill_trusted, pbx=name) for name in ("hq", "branch")]
        for pbx, card in zip(dead, waiting, strict=True):
            pbx.trouble.hang("*", after_effect=False, times=EVER)
            world.approve(card)
        for pbx in dead:
            pbx.wait_for(lambda: pbx.count("certificate/list") == 2)  # noqa: B023 - waited for here
        for card in others:
            world.approve(card)
        for card in others:
            world.wait_thread(card, "now lists")
        assert not any(world.count_lines(card, AGAIN) for card in waiting)  # each hangs in its first call
        for pbx in dead:
            pbx.make_unreachable()  # so that nobody has to wait for the end of patience
