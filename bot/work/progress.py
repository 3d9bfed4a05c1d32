"""What a visit to a PBX leaves behind: each outcome in one transaction, with the agenda entry of the next visit.

A worker that lost its lease brings nothing in. The thread is told of an outage once, not at every attempt.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.domain.events import BOT, Event, EventKind
from bot.domain.plan import CALLS, Evidence, Step
from bot.domain.requests import Decision, Execution, Installed, Outcome, Request, StepState
from bot.domain.schedule import Beginning
from bot.exceptions import PbxAway, PbxError
from bot.pbx.models import ListedCertificate
from bot.store import agenda, audit, breakers, fates, ledger, steps, tokens, votes
from bot.store.agenda import Entry
from bot.store.engine import Store
from bot.store.steps import Taken
from bot.work import calls
from bot.work.finding import Wanted
from bot.work.loop import later
from bot.work.trouble import PATIENCE, PAUSE, Course, sentence

#: How long the bot looks for what became of a call before it asks a person, and how rarely in the end.
LOOKING_FOR = timedelta(hours=1)
RARELY = 600.0  # seconds

#: What has not left so soon after its intent is not sent on the strength of it: this process slept, or the network did.
#: When the lease has run out, somebody else looks and, finding nothing, makes the call again. The rest of the lease is for
#: the clocks of two machines, which may differ by that much.
LEAVES_WITHIN = timedelta(seconds=20)

#: The events that tell of an outage; what the thread was told last says whether one goes on.
_OUTAGES = (EventKind.RETRYING, EventKind.LOGIN_STOPPED)


class Progress:
    """How a request moves on, for `bot.work.fulfil`, which makes the calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, entry: Entry, beginning: Callable[[Request], Beginning]) -> Request | None:
        """The request in the state of being applied; None when there is nothing to do any more, or not yet."""
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())
            request = ledger.load(session, entry.request or 0)
            if request is None or request.decision is not Decision.APPROVED or request.has_ended:
                agenda.finish(session, entry)
                return None
            if request.execution is Execution.QUEUED:
                if self._waits(session, entry, request, beginning(request)):
                    return None
                audit.append(session, self._store.now(), EventKind.APPLYING, BOT, request.id)
                ledger.narrate(session, self._store.now(), request.id)
            if request.execution not in (Execution.APPLYING, Execution.UNKNOWN):  # unknown stays so until a look tells
                ledger.execute(session, request, Execution.APPLYING)
            return ledger.load(session, request.id)

    def _waits(self, session: Session, entry: Entry, request: Request, begins: Beginning) -> bool:
        """It was woken before its time, or its window has closed because the bot was down: back it goes, and a time that nobody
        was told yet is told once."""
        if begins.at <= self._store.now():
            return False
        if begins.at != request.starts_at:
            ledger.schedule(session, self._store.now(), request, begins)
        agenda.again(session, entry, begins.at, fresh=True)
        return True

    def taken(self, request: Request) -> dict[Step, Taken]:
        with self._store.begin() as session:
            return steps.taken(session, request.id)

    def is_approved(self, request: Request) -> bool:
        """Whether the quorum stands for what is stored now, or the call has left already and only its fate is asked for."""
        with self._store.begin() as session:
            create = steps.taken(session, request.id).get(Step.CREATE)
            asked = create is not None and create.state is StepState.SENT
            return asked or votes.has_quorum(session, self._store.vault, request)

    def may_have_happened(self, request: Request) -> bool:
        """Whether the call that adds the certificate has left."""
        created = self.taken(request).get(Step.CREATE)
        return created is not None and created.state is not StepState.INTENDED

    def take_course(self, entry: Entry, request: Request, error: PbxError, course: Course) -> None:
        now = self._store.now()
        if course is Course.FAIL or now > self._since(request) + PATIENCE[course]:
            self._give_up(entry, request, error)
            return
        due = now + PAUSE[course] if course in PAUSE else later(now, entry.attempt)
        due = max(due, error.retry_at) if isinstance(error, PbxAway) else due  # or when it is back, if that is sooner
        kind = EventKind.LOGIN_STOPPED if course is Course.STOPPED else EventKind.RETRYING
        self.pause(entry, request, error, due, kind)

    def _give_up(self, entry: Entry, request: Request, error: PbxError) -> None:
        what, code = self._why(request, error)
        if self.may_have_happened(request):
            self.doubt(entry, request, what, later(self._store.now(), entry.attempt, longest=RARELY))
        else:
            self.fail(entry, request, what, code)

    def _why(self, request: Request, error: PbxError) -> tuple[str, str]:
        """In words and by its code. Of a PBX that is left alone, what the thread was told when it still was asked says more."""
        with self._store.begin() as session:
            last = self._last(session, request)
        if isinstance(error, PbxAway) and last.kind is EventKind.RETRYING:
            return str(last.data["sentence"]), str(last.data["code"])
        return sentence(error), error.code

    def pause(
        self, entry: Entry, request: Request, error: PbxError, due: datetime, kind: EventKind = EventKind.RETRYING
    ) -> None:
        """Come back later; the thread is told once, not at every attempt."""
        with calls.telling(self._store, request.id) as session:
            agenda.hold(session, entry, self._store.now())  # takes the lock before reading: nobody presses in between
            if kind is EventKind.LOGIN_STOPPED and not tokens.stopped(session, request.ask.pbx):
                self._stand_by(session, entry, request, self._store.now())  # somebody pressed Try again during this visit
                return
            if isinstance(error, PbxAway) and not breakers.still_away(session, request.ask.pbx):
                due = self._store.now()  # it came back during this visit, when this entry was not to be brought forward
            if self._last(session, request).kind is not kind:
                self.tell(session, request, kind, pbx=request.ask.pbx, sentence=sentence(error), code=error.code)
            self._stand_by(session, entry, request, due)

    def _stand_by(self, session: Session, entry: Entry, request: Request, due: datetime) -> None:
        """The card may have been rendered in the middle of this visit, as being applied, so it is looked at again."""
        if request.execution is not Execution.UNKNOWN:
            ledger.execute(session, request, Execution.WAITING)
        ledger.narrate(session, self._store.now(), request.id)
        agenda.again(session, entry, due)

    def times(self, request: Request, kind: EventKind) -> int:
        with self._store.begin() as session:
            return sum(event.kind is kind for event in audit.events_of(session, request.id))

    def _since(self, request: Request) -> datetime:
        """When the trouble began that the thread was told of last; now, if that was something else."""
        with self._store.begin() as session:
            last = self._last(session, request)
        return last.at if last.kind in _OUTAGES else self._store.now()

    def _last(self, session: Session, request: Request) -> Event:
        """The last thing that happened to the request."""
        return [event for event in audit.events_of(session, request.id) if event.kind not in calls.ASIDE][-1]

    def intend(self, entry: Entry, request: Request, step: Step, known: Sequence[int]) -> datetime:
        """Commit that the call is about to leave, if the lease is still ours. Returns until when it may leave."""
        now = self._store.now()
        with calls.telling(self._store, request.id) as session:
            agenda.hold(session, entry, now)
            steps.forget(session, request.id, step)
            steps.intend(session, now, request.id, step, known)
            steps.sent(session, now, request.id, step)
            audit.append(session, now, EventKind.CALLING, BOT, request.id, step=step.value, call=CALLS[step])
        return now + LEAVES_WITHIN

    @contextmanager
    def settling(self, entry: Entry, request: Request) -> Iterator[Session]:
        """The transaction of a step's outcome: the next visit is due with it, or nothing of it is kept."""
        with calls.telling(self._store, request.id) as session:
            if request.execution is Execution.UNKNOWN:
                ledger.execute(session, request, Execution.APPLYING)
            yield session
            agenda.again(session, entry, self._store.now(), fresh=True)

    def tell(self, session: Session, request: Request, kind: EventKind, **data: Any) -> None:
        audit.append(session, self._store.now(), kind, BOT, request.id, **data)
        ledger.narrate(session, self._store.now(), request.id)

    def wanted(self, request: Request) -> Wanted:
        """After a restore the ledger may not know what was uploaded; the file was to bear the name of the evidence."""
        uploaded = self.taken(request).get(Step.UPLOAD)
        name = str(uploaded.result.get("name", "")) if uploaded else ""
        return Wanted.by(request, name or Evidence.from_json(request.evidence or {}).name)

    def wait(self, entry: Entry, request: Request, due: datetime, *, well: bool = False) -> None:
        """``well``: the PBX answers, so an outage that the thread was told of is over, and its patience with it."""
        with calls.telling(self._store, request.id) as session:
            if well and self._last(session, request).kind in _OUTAGES:
                self.tell(session, request, EventKind.ANSWERING)
            self._stand_by(session, entry, request, due)

    def done(self, entry: Entry, request: Request, one: ListedCertificate) -> None:
        """The PBX lists it."""
        expires = one.expires.date().isoformat() if one.expires else one.expiration_text
        installed = Installed(one.id, one.name, one.type or "", one.issue_to or "", expires)
        now = self._store.now()
        seconds = round((now - (request.starts_at or request.decided_at or now)).total_seconds())
        with calls.telling(self._store, request.id) as session:
            agenda.finish(session, entry)
            ledger.end(session, now, self._store.vault, request, Execution.DONE, Outcome(installed),
                       **installed.to_json(), seconds=seconds)  # fmt: skip

    def not_issued(self, entry: Entry, request: Request, one: ListedCertificate) -> None:
        sentence = (
            f"{request.ask.pbx} applied for {request.ask.domain} and was refused. Check that the DNS credentials may change "
            f"the zone and that the domain is served by {request.ask.provider}. The failed entry stays in the PBX's list and "
            "takes a slot until somebody deletes it there."
        )
        self.fail(entry, request, sentence, "issuance_fail", apply_tip_code=one.apply_tip_code)

    def fail(self, entry: Entry, request: Request, sentence: str, code: str, **data: Any) -> None:
        self._end(entry, request, Execution.FAILED, sentence, code=code, **data)

    def doubt(self, entry: Entry, request: Request, what: str, due: datetime) -> None:
        """Whether it happened is not known: the thread is told once, the bot looks at ``due``, and in the end a person does."""
        with calls.telling(self._store, request.id) as session:
            agenda.hold(session, entry, self._store.now())
            if request.execution is not Execution.UNKNOWN:
                fates.doubt(session, self._store.now(), request, what)
            elif self._store.now() > self._doubted_at(session, request) + LOOKING_FOR:
                self._want_person(session, entry, request, what)
                return
            agenda.again(session, entry, due)

    def want_person(self, entry: Entry, request: Request, what: str) -> None:
        """The bot cannot find out, and does not guess."""
        with calls.telling(self._store, request.id) as session:
            self._want_person(session, entry, request, what)

    def _want_person(self, session: Session, entry: Entry, request: Request, what: str) -> None:
        agenda.finish(session, entry)
        fates.want_person(session, self._store.now(), self._store.vault, request, what)

    def _doubted_at(self, session: Session, request: Request) -> datetime:
        doubts = [event.at for event in audit.events_of(session, request.id) if event.kind is EventKind.UNKNOWN]
        return doubts[-1] if doubts else self._store.now()

    def _end(self, entry: Entry, request: Request, state: Execution, sentence: str, **data: Any) -> None:
        with calls.telling(self._store, request.id) as session:
            agenda.finish(session, entry)
            ledger.end(session, self._store.now(), self._store.vault, request, state, Outcome(sentence=sentence),
                       sentence=sentence, **data)  # fmt: skip
