"""Votes for a rule of several groups of approvers: what Slack could not tell, and people who join a group meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config.rules import PolicyConfig, SeatsConfig
from bot.domain.events import EventKind
from bot.domain.plan import plan
from bot.domain.requests import Decision, Request
from bot.store import audit, drafts, votes
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.work.ruling import rule_today
from tests.unit import block_samples
from tests.unit.deciding import LEADS, Hands, Slack, config_of, context_of
from tests.unit.store_kit import ANA, BEN, SECRET, Clock, confirm, load, new_draft, open_store, read, record

pytestmark = pytest.mark.usefixtures("any_database")

SECURITY = "S0SECURITY"
CONFIG = config_of(hq={}).model_copy(
    update={"policy": (PolicyConfig(all=(SeatsConfig(of=(ANA, LEADS)), SeatsConfig(of=(SECURITY,)))),)}
)


class Office:
    """A store, Slack, and hands that work."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock, self.slack = store, clock, Slack({LEADS: frozenset(), SECURITY: frozenset({BEN})})
        self._hands = Hands(context_of(store, CONFIG, self.slack))

    def pending(self) -> Request:
        """A request that is bound to its rule, as the check does it."""
        draft, evidence = new_draft(self.store), block_samples.evidence(block_samples.ask().kind)
        match = rule_today(CONFIG.rules, draft, {})
        with self.store.begin() as session:
            self.store.vault.put(session, draft.id, "bundle", SECRET)
            steps = plan(draft.ask, evidence.name)
            judged = drafts.judged_good(
                session, self.store.now(), self.store.vault, draft, draft.ask, evidence.to_json(), steps, match.rule
            )
        return confirm(self.store, judged)

    def approve(self, request: Request, user: str) -> Request:
        record(self.store, request, user, delivery=f"{user} {len(self.slack.asked)}")
        self._hands.work(Work.DECIDE)
        return load(self.store, request.id)

    def refusals(self, request: Request) -> list[str]:
        events = read(self.store, lambda session: audit.events_of(session, request.id))
        return [event.data["code"] for event in events if event.kind is EventKind.REFUSED]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    store = open_store(tmp_path, clock)
    yield Office(store, clock)
    store.close()


def test_named_and_yet_not_known(office: Office) -> None:
    """Who is named in one group, while Slack cannot tell whether they are in the other, is not counted but may try again."""
    request = office.pending()
    office.slack.is_down = True
    assert office.approve(request, ANA).votes == ()
    assert office.refusals(request) == ["membership_unknown"]
    office.slack.is_down = False
    assert [vote.seats for vote in office.approve(request, ANA).votes] == [frozenset({0})]
    assert office.approve(request, BEN).decision is Decision.APPROVED


def test_who_is_not_in_the_workspace_any_more(office: Office) -> None:
    """Slack knows nothing of somebody who is gone; their approval lapses, and does not keep the others from approving."""
    request = office.pending()
    office.approve(request, ANA)
    office.slack.gone.add(ANA)
    office.clock.advance(minutes=1)
    assert [vote.user for vote in office.approve(request, BEN).votes] == [BEN]
    assert office.refusals(request) == []
    events = read(office.store, lambda session: audit.events_of(session, request.id))
    assert [event.data["code"] for event in events if event.kind is EventKind.LAPSED] == ["gone"]


def test_who_joins_a_group_after_voting(office: Office) -> None:
    """What the approval rests on is kept with the votes, so the bot finds the quorum again before it sends anything."""
    request = office.pending()
    office.approve(request, BEN)
    office.slack.groups = {LEADS: frozenset({BEN}), SECURITY: frozenset({BEN, "U0SUE"})}
    office.clock.advance(minutes=1)
    approved = office.approve(request, "U0SUE")
    assert approved.decision is Decision.APPROVED
    assert read(office.store, lambda session: votes.has_quorum(session, office.store.vault, approved))
