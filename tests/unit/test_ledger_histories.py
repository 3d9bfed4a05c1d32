"""Random histories of many requests, people and deaths of the process, against the rules told in plain Python.

The store, the decider and the expirer are the real ones. The model (`history_model`) knows nothing of them.
"""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.domain.requests import Decision, Execution, Outcome, Request, Shown
from bot.domain.windows import parse
from bot.exceptions import Stale
from bot.store import agenda, audit, drafts, fates, ledger, votes
from bot.store.agenda import Work
from bot.store.tables import SecretRow
from tests.unit import edit_kit
from tests.unit.deciding import LEADS, Hands, Slack, config_of, context_of
from tests.unit.history_checks import has_its_quorum, is_done_once
from tests.unit.history_model import PENDING_FOR, Model, Seen, reachable
from tests.unit.store_kit import Clock, Crash, ask, judge, new_draft, open_store

ANA, BEN, CLEO, DORA, TESS, EVE = PEOPLE = ("U0ANA", "U0BEN", "U0CLEO", "U0DORA", "U0TESS", "U0EVE")
#: Cleo and Dora approve as members of a group; Ana and Cleo ask for certificates, too.
APPROVERS = frozenset({ANA, BEN, CLEO, DORA})
NEEDED = {"one": 1, "two": 2, "three": 3}
RULES: dict[str, Any] = {name: {"approvers": (ANA, BEN, LEADS), "approvals": needed} for name, needed in NEEDED.items()}
#: What is approved for this one begins later, and so is due later.
RULES["two"]["windows"] = (parse("Sat 22:00-04:00"),)

numbers = st.integers(0, 3)
people = st.sampled_from(PEOPLE)


@dataclass(frozen=True)
class Change:
    """A checked draft upon this version of its request."""

    draft: Request
    version: int
    at: datetime


class Histories(RuleBasedStateMachine):
    """``shown`` holds all that was ever on a screen, so that old buttons are pressed as well."""

    shown = Bundle("shown")
    clicks = Bundle("clicks")
    changes = Bundle("changes")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.models: list[Model] = []
        self.waiting: list[tuple[str, str, Seen]] = []
        self.states: dict[int, tuple[str, str]] = {}
        self.changed: set[int] = set()
        self.deliveries = 0
        self._start()

    def _start(self) -> None:
        self.store = open_store(Path(self.folder.name), self.clock)
        slack = Slack({LEADS: frozenset({CLEO, DORA})})
        self.hands = Hands(context_of(self.store, config_of(**RULES), slack))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _one(self, number: int) -> Model:
        return self.models[number % len(self.models)]

    def _load(self, number: int) -> Request:
        with self.store.begin() as session:
            request = ledger.load(session, number)
        assert request is not None
        return request

    def _numbers(self) -> list[int]:
        return [model.number for model in self.models]

    def _delivery(self) -> str:
        self.deliveries += 1
        return f"delivery {self.deliveries}"

    @initialize(target=shown, pbx=st.sampled_from(tuple(NEEDED)), requester=people)
    def first(self, pbx: str, requester: str) -> Seen:
        """An approver's or somebody's request that waits for its votes, so that every history has something to decide."""
        self.draft(pbx, requester)
        self.check_good(0, b"first")
        seen = Seen(1, 1, self.models[0].digest)
        self.confirm(seen, requester)
        return seen

    @rule(pbx=st.sampled_from(tuple(NEEDED)), requester=people)
    def draft(self, pbx: str, requester: str) -> None:
        if len(self.models) < 4:
            made = new_draft(self.store, requester, needed=NEEDED[pbx], delivery=self._delivery(), asked=ask(pbx))
            self.models.append(Model(made.id, requester, NEEDED[pbx], APPROVERS, self.clock.now))

    @rule(number=numbers, changed=st.sampled_from(tuple(NEEDED)))
    def revise(self, number: int, changed: str) -> None:
        model = self._one(number)
        old = self._load(model.number)
        done = model.revise(self.clock.now)
        if done:
            model.needed = NEEDED[changed]
        try:
            with self.store.begin() as session:
                drafts.revise(session, self.store.now(), old, ask=ask(changed, reason=f"Version {old.version + 1}"),
                              view_id="V2", delivery=self._delivery(), approvals_needed=NEEDED[changed])  # fmt: skip
            assert done
        except Stale:
            assert not done

    @rule(target=shown, number=numbers, secret=st.binary(max_size=3))
    def check_good(self, number: int, secret: bytes) -> Seen:
        model = self._one(number)
        before = self._load(model.number)
        try:
            judged = judge(self.store, before, secret)
            assert model.decision == "draft"
            model.digest = judged.digest
        except Stale:
            assert model.decision != "draft"
        return Seen(model.number, model.version, model.digest)

    @rule(number=numbers)
    def check_bad(self, number: int) -> None:
        model = self._one(number)
        before = self._load(model.number)
        try:
            with self.store.begin() as session:
                drafts.judged_bad(session, self.store.now(), before, [{"code": "expired"}])
            assert model.decision == "draft"
            model.digest = ""
        except Stale:
            assert model.decision != "draft"

    @rule(target=shown, seen=shown, change=st.sampled_from(["digest", "version", "number", "empty"]))
    def forge(self, seen: Seen, change: str) -> Seen:
        return seen.forged(change, self._numbers())

    @rule(number=numbers, user=st.sampled_from(sorted(APPROVERS)), change=st.sampled_from(["", "", "", "digest", "version"]))
    def press(self, number: int, user: str, change: str) -> None:
        """An approver presses Approve on the card as it is now, or with a value that is a lie; it is decided at once."""
        model = self._one(number)
        seen = Seen(model.number, model.version, model.digest)
        self.click(seen.forged(change, self._numbers()), user, "approve")
        self.decide()

    @rule(seen=shown, user=people)
    def confirm(self, seen: Seen, user: str) -> None:
        model = self._model_of(seen)
        done = model.confirm(user, seen, self.clock.now)
        try:
            with self.store.begin() as session:
                ledger.confirm(session, self.store.now(), _shown(seen), user, PENDING_FOR)
            assert done
        except Stale:
            assert not done

    @rule(target=changes, number=numbers)
    def draft_a_change(self, number: int) -> Change:
        """A draft upon the request as it is now; it may wait until something else has happened to that."""
        request = self._load(self._one(number).number)
        delivery = self._delivery()
        draft = edit_kit.change(self.store, request, f"Said better by {delivery}", delivery, secret=delivery.encode())
        return Change(draft, request.version, self.clock.now)

    @rule(target=shown, made=changes)
    def confirm_a_change(self, made: Change) -> Seen:
        """What a draft was confirmed of, once: a second time it changes nothing."""
        model = next(model for model in self.models if model.number == made.draft.edits)
        is_again = made.draft.id in self.changed
        done = not is_again and model.change(made.version, made.at, self.clock.now)
        try:
            new = edit_kit.confirm_change(self.store, made.draft)
            assert done or is_again
        except Stale:
            assert not done
            assert not is_again
        if done:
            self.changed.add(made.draft.id)
            assert new.version == model.version
            model.digest = new.digest
        return Seen(model.number, model.version, model.digest)

    @rule(number=numbers, user=people, verdict=st.sampled_from(["approve", "reject"]), secret=st.binary(max_size=3))
    def change_under_a_click(self, number: int, user: str, verdict: str, secret: bytes) -> None:
        """Somebody presses a button, the request is changed, and only then the click is decided."""
        model = self._one(number)
        seen = Seen(model.number, model.version, model.digest)
        made = self.draft_a_change(number)
        self._record(user, verdict, seen, self._delivery())
        self.confirm_a_change(made)
        self.waiting.append((user, verdict, seen))
        self.decide()

    @rule(number=numbers, user=people, own=st.booleans(), change=st.sampled_from(["", "", "digest", "version", "empty"]))
    def ask_for(self, number: int, user: str, own: bool, change: str) -> None:
        """Check a draft and confirm it, or a lie about it; by chance alone it would seldom be its requester who does."""
        model = self._one(number)
        if not model.digest:
            self.check_good(number, b"")
        seen = Seen(model.number, model.version, model.digest)
        self.confirm(seen.forged(change, self._numbers()), model.requester if own else user)

    def _model_of(self, seen: Seen) -> Model:
        return next(model for model in self.models if model.number == seen.number)

    @rule(target=clicks, seen=shown, user=people, verdict=st.sampled_from(["approve", "approve", "approve", "reject"]))
    def click(self, seen: Seen, user: str, verdict: str) -> tuple[str, str, Seen, str]:
        delivery = self._delivery()
        self._record(user, verdict, seen, delivery)
        self.waiting.append((user, verdict, seen))
        return user, verdict, seen, delivery

    @rule(click=consumes(clicks))
    def delivered_again(self, click: tuple[str, str, Seen, str]) -> None:
        """Slack sends the same click a second time; the model does not even hear of it."""
        self._record(*click)

    def _record(self, user: str, verdict: str, seen: Seen, delivery: str) -> None:
        with self.store.begin() as session:
            votes.record(session, self.store.now(), self.store.vault, _shown(seen), user, verdict, delivery=delivery,
                         reason="Why not" if verdict == "reject" else "")  # fmt: skip

    @rule()
    def decide(self) -> None:
        self._model_decides()
        self.hands.work(Work.DECIDE)

    def _model_decides(self) -> None:
        for user, verdict, seen in self.waiting:
            self._model_of(seen).click(user, verdict, seen, self.clock.now)
        self.waiting.clear()

    @rule(number=numbers, user=people, own=st.booleans())
    def withdraw(self, number: int, user: str, own: bool) -> None:
        """As the listener does it: only for the requester, only what has not begun."""
        model = self._one(number)
        user, request = model.requester if own else user, self._load(model.number)
        done = model.withdraw(user)
        if user != request.requester:
            return
        try:
            with self.store.begin() as session:
                ledger.close(session, self.store.now(), self.store.vault, request, Decision.WITHDRAWN, user)
            assert done
        except Stale:
            assert not done

    @rule(minutes=st.sampled_from([1, 29, 60, 241, 480]))
    def time_passes(self, minutes: int) -> None:
        """What is recorded was decided before, as the loop decides at once."""
        self.decide()
        self.clock.advance(minutes=minutes)
        for model in self.models:
            model.time_passes(self.clock.now)
        self.hands.work(Work.EXPIRE, Work.WIPE)

    @rule(number=numbers, minutes=st.sampled_from([59, 481]))
    def clicks_after_hours(self, number: int, minutes: int) -> None:
        """A click that is decided when the time is up, and before the request is closed for it."""
        model = self._one(number)
        seen = Seen(model.number, model.version, model.digest)
        self._record(BEN, "approve", seen, self._delivery())
        self.waiting.append((BEN, "approve", seen))
        self.clock.advance(minutes=minutes)
        self.decide()
        self.time_passes(1)

    @rule(number=numbers, new=st.sampled_from(Execution))
    def execute(self, number: int, new: Execution) -> None:
        model = self._one(number)
        request, done = self._load(model.number), model.execute(new.value)
        try:
            with self.store.begin() as session:
                if new in (Execution.DONE, Execution.FAILED):
                    self._end(session, request, new)
                elif new is Execution.UNKNOWN:
                    fates.doubt(session, self.store.now(), request, "The answer was lost.")
                else:
                    ledger.execute(session, request, new)
            assert done
        except Stale:
            assert not done

    def _end(self, session: Session, request: Request, new: Execution) -> None:
        ledger.end(session, self.store.now(), self.store.vault, request, new, Outcome(sentence="So it ended."))
        agenda.drop(session, Work.FULFIL, request.id)

    @rule(looks=st.integers(0, 12))
    def dies(self, looks: int) -> None:
        """The process is killed somewhere in what is due, and started again; then what was due is done, once."""
        self.clock.crash_in = looks
        with suppress(Crash):
            self.hands.work(Work.DECIDE)
        self.clock.crash_in = None
        self.store.close()
        self._start()
        with self.store.begin() as session:
            agenda.end_all_leases(session)
        self.decide()

    @invariant()
    def after_each_step(self) -> None:
        with self.store.begin() as session:
            loaded = [ledger.load(session, model.number) for model in self.models]
            requests = [request for request in loaded if request is not None]
            assert len(requests) == len(self.models)
            if not self.waiting:
                self._as_the_model_says(requests)
            for request in requests:
                has_its_quorum(session, request, APPROVERS)
                is_done_once(session, request)
                self._moves_by_the_table(request)
            kept = set(session.scalars(select(SecretRow.request)).all())
            assert not [request.id for request in requests if request.has_ended and request.id in kept]
            audit.verify(session)

    def _as_the_model_says(self, requests: Sequence[Request]) -> None:
        for model, request in zip(self.models, requests, strict=True):
            assert (request.decision.value, request.execution or "") == model.state
            assert (request.version, request.digest, request.approvals_needed) == (model.version, model.digest, model.needed)
            assert {vote.user: vote.verdict for vote in request.votes} == model.votes
            assert request.has_ended == model.has_ended

    def _moves_by_the_table(self, request: Request) -> None:
        new = request.decision.value, request.execution.value if request.execution else ""
        assert reachable(self.states.get(request.id, ("draft", "")), new)
        self.states[request.id] = new


def _shown(seen: Seen) -> Shown:
    return Shown(seen.number, seen.version, seen.digest)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("any_database")
def test_histories() -> None:
    """Whatever people do, and wherever the process dies, the rules hold."""
    how = settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(Histories, settings=how)
