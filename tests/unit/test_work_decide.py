"""The decider: one membership call for all who wait, each refusal told once; and the expirer beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.events import EventKind
from bot.domain.profile import Profile
from bot.domain.requests import Decision, Request
from bot.store import agenda, audit, drafts, votes
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.work.decide import Decider
from tests.unit.deciding import LEADS, Hands, Slack, config_of, context_of
from tests.unit.store_kit import (
    ANA,
    BEN,
    EVE,
    TESS,
    Clock,
    ask,
    count,
    judge,
    load,
    new_draft,
    open_store,
    pending,
    read,
    record,
)

pytestmark = pytest.mark.usefixtures("any_database")

CLEO = "U0CLEO"
RULES: dict[str, Any] = {"hq": {"approvers": (ANA, LEADS)}, "branch": {"approvers": (LEADS,), "approvals": 2}}


@dataclass
class Office:
    """A store, its clock, Slack, and hands that work."""

    store: Store
    clock: Clock
    slack: Slack
    hands: Hands

    def decide(self) -> int:
        return self.hands.work(Work.DECIDE)

    def refusals(self, number: int) -> list[str]:
        events = read(self.store, lambda session: audit.events_of(session, number))
        return [event.data["code"] for event in events if event.kind is EventKind.REFUSED]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    store = open_store(tmp_path, clock)
    slack = Slack({LEADS: frozenset({BEN, CLEO})})
    yield Office(store, clock, slack, Hands(context_of(store, config_of(**RULES), slack)))
    store.close()


def test_one_call_for_all(office: Office) -> None:
    """However many wait, a group is read once for all of them, in one visit."""
    for number in range(5):
        record(office.store, pending(office.store, delivery=f"d{number}"), (BEN, CLEO, EVE)[number % 3])
    assert office.decide() == 1
    assert office.slack.asked == [LEADS]
    assert [load(office.store, number).decision for number in (1, 3)] == [Decision.APPROVED, Decision.PENDING]


def test_named_needs_no_group(office: Office) -> None:
    """For those who are named no group is read."""
    request = pending(office.store)
    record(office.store, request, ANA)
    office.decide()
    assert load(office.store, request.id).decision is Decision.APPROVED
    assert office.slack.asked == []


def test_a_guest_does_not_count(office: Office) -> None:
    """Whoever the rule names, a guest's click is refused, for both an approval and a rejection."""
    request = pending(office.store)
    office.slack.profiles[ANA] = Profile(ANA, "T1", is_guest=True)
    for verdict in ("approve", "reject"):
        record(office.store, request, ANA, verdict=verdict, delivery=verdict)
        office.decide()
    assert load(office.store, request.id).decision is Decision.PENDING
    assert office.refusals(request.id) == ["guest", "guest"]


def test_a_slow_slack_makes_no_membership_older(office: Office) -> None:
    """Who leaves the group while Slack takes its time to say what they are is not counted by what was read before."""
    request = pending(office.store)

    def slowly() -> None:
        office.clock.advance(seconds=20)
        if office.slack.asked:  # the group was read, and now Slack says what Ben is
            office.slack.groups = {LEADS: frozenset({CLEO})}

    office.slack.meanwhile = slowly
    record(office.store, request, BEN)
    office.decide()
    assert load(office.store, request.id).decision is Decision.PENDING
    assert office.refusals(request.id) == ["not_named"]


def test_nobody_takes_over_while_slack_takes_its_time(office: Office) -> None:
    """However long the answers take together, the visit keeps its entry; what cannot be known at one moment is refused."""
    request = pending(office.store)
    begun, claimed = office.clock(), []

    def slowly() -> None:
        office.clock.advance(seconds=16)
        claimed.append(office.hands.claim(Work.DECIDE))

    office.slack.meanwhile = slowly
    record(office.store, request, BEN)
    office.decide()
    assert office.clock() - begun > agenda.LEASE
    assert set(claimed) == {None}
    assert office.refusals(request.id) == ["membership_unknown"]


def test_named_but_slack_is_down(office: Office) -> None:
    """Without knowing what somebody is nothing is approved, even if the rule names them."""
    request = pending(office.store)
    record(office.store, request, ANA)
    office.slack.is_down = True
    office.decide()
    assert office.refusals(request.id) == ["profile_unknown"]


def test_slack_is_down(office: Office) -> None:
    """If Slack cannot be asked nothing is approved, the clicker is told, and the next click is decided anew."""
    request = pending(office.store)
    record(office.store, request, BEN, delivery="first", reply_to="https://hooks.slack.com/1")
    office.slack.is_down = True
    office.decide()
    assert office.refusals(request.id) == ["membership_unknown"]
    assert [url for url, _ in office.slack.told] == ["https://hooks.slack.com/1"]
    office.slack.is_down = False
    record(office.store, request, BEN, delivery="second")
    office.decide()
    assert load(office.store, request.id).decision is Decision.APPROVED


@pytest.mark.parametrize(
    ("user", "code", "words"),
    [
        (TESS, "own_request", "somebody else"),
        (EVE, "not_named", "You may not decide"),
        (BEN, "approved_before", "approved this"),
    ],
)
def test_refused(office: Office, user: str, code: str, words: str) -> None:
    """Who may not, and who comes second, is told why, privately, and it is an event."""
    request = pending(office.store)
    if code == "approved_before":
        count(office.store, record(office.store, request, ANA))
        office.clock.advance(seconds=2)
    record(office.store, request, user, "approve")
    office.decide()
    assert office.refusals(request.id) == [code]
    assert [who for who, _ in office.slack.told] == [user]
    assert words in office.slack.told[0][1]


def test_second_vote(office: Office) -> None:
    """A second click of one person is refused as counted before, and changes no count."""
    request = pending(office.store, asked=ask("branch"), needed=2)
    for delivery in ("one", "two"):
        record(office.store, request, BEN, delivery=delivery)
    office.decide()
    assert office.refusals(request.id) == ["voted_before"]
    assert len(load(office.store, request.id).votes) == 1


def test_late(office: Office) -> None:
    """When the time is up a click is refused, also before anybody has closed the request."""
    request = pending(office.store)
    record(office.store, request, ANA)
    office.clock.advance(hours=8)
    office.decide()
    assert office.refusals(request.id) == ["closed"]


def test_told_by_one(office: Office) -> None:
    """A worker that lost its lease and finds a click decided by another one tells its person nothing."""
    request = pending(office.store)
    click = record(office.store, request, BEN)

    class TakenOver(Slack):
        """While this one waits for Slack, another worker decides the click."""

        def group_members(self, group: str) -> frozenset[str]:
            count(office.store, click)
            return super().group_members(group)

    slow = TakenOver(office.slack.groups)
    entry = office.hands.claim(Work.DECIDE)
    assert entry is not None
    Decider(context_of(office.store, config_of(**RULES), slow)).visit(entry)
    assert load(office.store, request.id).decision is Decision.APPROVED
    assert office.refusals(request.id) == []
    assert slow.told == []


# Because nobody did anything


def revise(store: Store, old: Request) -> Request:
    with store.begin() as session:
        return drafts.revise(session, store.now(), old, ask=ask(reason="Again"), view_id="V2", delivery="again")


def test_draft_expires(office: Office) -> None:
    """A draft goes an hour after it was last touched, with its secrets, and not before."""
    draft = judge(office.store, new_draft(office.store))
    office.clock.advance(minutes=59)
    revised = revise(office.store, draft)
    office.clock.advance(minutes=59)
    assert office.hands.work(Work.WIPE, Work.EXPIRE) == 0
    office.clock.advance(minutes=1)
    assert office.hands.work(Work.WIPE, Work.EXPIRE) == 1
    assert load(office.store, revised.id).decision is Decision.EXPIRED
    assert read(office.store, lambda session: office.store.vault.names(session, draft.id)) == []


def test_draft_touched_at_the_last_moment(office: Office) -> None:
    """A draft that is changed while somebody is about to delete it stays, for another hour."""
    draft = new_draft(office.store)
    office.clock.advance(hours=1)
    entry = office.hands.claim(Work.WIPE)
    assert entry is not None
    revise(office.store, draft)
    office.hands.visits[Work.WIPE](entry)
    assert load(office.store, draft.id).decision is Decision.DRAFT
    office.clock.advance(hours=1)
    assert office.hands.work(Work.WIPE) == 1
    assert load(office.store, draft.id).decision is Decision.EXPIRED


def test_request_expires(office: Office) -> None:
    """A request that nobody decided in time expires; one that was decided does not."""
    waiting, decided = pending(office.store, delivery="a"), pending(office.store, delivery="b")
    count(office.store, record(office.store, decided, ANA))
    office.clock.advance(hours=8)
    assert office.hands.work(Work.WIPE, Work.EXPIRE) == 1
    assert load(office.store, waiting.id).decision is Decision.EXPIRED
    assert load(office.store, decided.id).decision is Decision.APPROVED


def test_decided_at_the_last_moment(office: Office) -> None:
    """Decided while somebody is about to close it: the decision stands."""
    request = pending(office.store)
    click = record(office.store, request, ANA)
    office.clock.now += timedelta(hours=8) - timedelta(microseconds=1)
    count(office.store, click)
    office.clock.advance(seconds=1)
    assert office.hands.work(Work.EXPIRE) == 0
    assert load(office.store, request.id).decision is Decision.APPROVED


def test_try_again_is_no_vote(office: Office) -> None:
    """An operator's Try again decides nothing, and is done once."""
    request = pending(office.store)
    record(office.store, request, ANA, votes.TRY_AGAIN)
    office.decide()
    assert load(office.store, request.id).decision is Decision.PENDING
    assert read(office.store, lambda session: votes.waiting(session, office.store.vault)) == []
