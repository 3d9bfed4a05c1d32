"""Carry out an approved request: one short visit to its PBX for each step.

Every call's intent is committed before the call, with the ids that the PBX listed then; its outcome is committed with the
agenda entry of the next visit. A worker that lost its lease brings nothing in.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.domain.events import BOT, Event, EventKind
from bot.domain.plan import Evidence, Step, slots_of, steps_of
from bot.domain.requests import Decision, Execution, Installed, Kind, Outcome, Request, StepState
from bot.exceptions import PbxError, VaultError
from bot.pbx.client import PbxClient
from bot.pbx.models import ApplyStatus, CertificateType, DnsSettings, ListedCertificate
from bot.store import agenda, audit, ledger, steps
from bot.store.agenda import Entry
from bot.store.steps import Taken
from bot.work import trouble
from bot.work.context import Context
from bot.work.finding import Wanted, ours
from bot.work.loop import later
from bot.work.trouble import PATIENCE, PAUSE, Course, sentence

log = structlog.get_logger(__name__)

#: Nobody may say "it is not there" sooner after a call whose answer was lost (promise 5).
SETTLING = timedelta(seconds=60)
#: How often a call that comes to nothing, without being refused for good, is made at most.
TRIES = 3
#: How long the PBX may take to be issued a certificate; DNS propagation is a matter of minutes.
ISSUING_FOR = timedelta(hours=2)
#: What tells of trouble that may still last.
_OUTAGES = (EventKind.RETRYING, EventKind.LOGIN_STOPPED)


class Fulfiller:
    """Takes the next step of a request, and says when the one after it is due."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._take: dict[Step, Callable[[Entry, Request, PbxClient], None]] = {
            Step.LOOK: self._look,
            Step.UPLOAD: self._upload,
            Step.CREATE: self._create,
            Step.FOLLOW: self._follow,
            Step.CONFIRM: self._confirm,
        }

    def visit(self, entry: Entry) -> None:
        request = self._begin(entry)
        if request is None:
            return
        try:
            if self._context.rule(request.ask.pbx) is None:
                self._fail(entry, request, f"{request.ask.pbx} is not configured any more, so nothing was done.", "no_pbx")
                return
            self._take[self._next(request)](entry, request, self._context.pbx(request.ask.pbx))
        except PbxError as error:
            self._take_course(entry, request, error, trouble.for_reading(error))
        except VaultError as error:
            self._fail(entry, request, f"{error.message} An operator has to put the old key back.", error.code)

    def _begin(self, entry: Entry) -> Request | None:
        """The request in the state of being applied; None, and the entry is done, when there is nothing left to do."""
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())
            request = ledger.load(session, entry.request or 0)
            if request is None or request.decision is not Decision.APPROVED or request.has_ended:
                agenda.finish(session, entry)
                return None
            if request.execution is Execution.QUEUED:
                audit.append(session, self._store.now(), EventKind.APPLYING, BOT, request.id)
                ledger.narrate(session, self._store.now(), request.id)
            if request.execution is not Execution.APPLYING:
                ledger.execute(session, request, Execution.APPLYING)
            return ledger.load(session, request.id)

    def _next(self, request: Request) -> Step:
        taken = self._taken(request)
        settled = {step for step, row in taken.items() if row.state is StepState.SETTLED}
        return next((step for step in steps_of(request.ask.kind) if step not in settled), Step.CONFIRM)

    def _taken(self, request: Request) -> dict[Step, Taken]:
        with self._store.begin() as session:
            return steps.taken(session, request.id)

    # The steps

    def _look(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        kind = request.ask.kind
        used, slots = sum(one.type == kind.slot_type for one in pbx.list_certificates()), slots_of(kind)
        if used >= slots:
            sentence = (
                f"{request.ask.pbx} already holds {used} of {slots} {kind.slot_type} certificates, so nothing was sent. "
                "Delete one there that is not needed any more, then ask again."
            )
            self._fail(entry, request, sentence, "no free slot")
            return
        with self._settling(entry) as session:
            steps.intend(session, self._store.now(), request.id, Step.LOOK)
            steps.settle(session, self._store.now(), request.id, Step.LOOK, StepState.INTENDED, used=used, slots=slots)
            self._tell(session, request, EventKind.LOOKED, used=used, slots=slots, type=kind.slot_type)

    def _upload(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        """Uploading again is harmless: the PBX keeps such files for an hour or so and lists none of them."""
        with self._store.begin() as session:
            content = self._store.vault.take(session, request.id, "bundle")
        if content is None:
            raise VaultError("The certificate's file is not in the vault any more.")
        self._intend(entry, request, Step.UPLOAD, ())
        name = pbx.upload(CertificateType(request.ask.kind.slot_type), _evidence(request).name, content)
        with self._settling(entry) as session:
            steps.settle(session, self._store.now(), request.id, Step.UPLOAD, StepState.SENT, name=name)
            self._tell(session, request, EventKind.UPLOADED, name=name)

    def _create(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        taken = self._taken(request)
        create = taken.get(Step.CREATE)
        if create is not None and create.state is StepState.SENT:
            self._find_out(entry, request, pbx, create)
            return
        listed = pbx.list_certificates()
        call = self._creating(request, pbx, taken)
        self._intend(entry, request, Step.CREATE, [one.id for one in listed])
        try:
            created = call()
        except PbxError as error:
            self._not_created(entry, request, error)
            return
        with self._settling(entry) as session:
            now, status = self._store.now(), created.apply_status
            steps.settle(session, now, request.id, Step.CREATE, StepState.SENT, name=created.name)
            if request.ask.kind is Kind.APPLY:
                self._tell(session, request, EventKind.ISSUING, domain=request.ask.domain)
            else:
                self._tell(session, request, EventKind.CREATED, name=created.name, apply_status=status)

    def _not_created(self, entry: Entry, request: Request, error: PbxError) -> None:
        course = trouble.for_creating(error, uploaded=request.ask.needs_files)
        if course is Course.UPLOAD_AGAIN and self._times(request, EventKind.UPLOADED) >= TRIES:
            course = Course.FAIL
        if course is Course.LOOK:
            self._pause(entry, request, error, self._store.now() + SETTLING)
            return
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())  # whoever took over knows better
            steps.forget(session, request.id, Step.CREATE)
            if course is Course.UPLOAD_AGAIN:
                steps.forget(session, request.id, Step.UPLOAD)
        if course is Course.UPLOAD_AGAIN:
            self._pause(entry, request, error, self._store.now())
        else:
            self._take_course(entry, request, error, course)

    def _creating(self, request: Request, pbx: PbxClient, taken: dict[Step, Taken]) -> Callable[[], Any]:
        ask = request.ask
        with self._store.begin() as session:
            params = self._store.vault.take_json(session, request.id, "dns")
        dns = DnsSettings(ask.provider, params) if ask.needs_dns else None
        if ask.kind is Kind.APPLY:
            assert dns is not None, "an application needs DNS credentials"
            return lambda: pbx.create_apply(ask.domain, dns)
        name = str(taken[Step.UPLOAD].result["name"])
        if ask.kind is Kind.TRUSTED:
            return lambda: pbx.create_trusted(name)
        return lambda: pbx.create_import(name, auto_renewal=ask.auto_renewal, dns=dns)

    def _find_out(self, entry: Entry, request: Request, pbx: PbxClient, create: Taken) -> None:
        """The call left and nobody knows what became of it: the lists say."""
        found = ours(pbx.list_certificates(), self._wanted(request), create.known)
        now = self._store.now()
        if len(found) > 1:
            self._unknown(entry, request, f"{len(found)} new certificates look like this one")
        elif found:
            with self._settling(entry) as session:
                steps.settle(session, now, request.id, Step.CREATE, StepState.SENT, name=found[0].name)
                self._tell(session, request, EventKind.SETTLED, name=found[0].name, found=True)
        elif now < create.changed_at + SETTLING:
            self._wait(entry, request, create.changed_at + SETTLING)
        elif create.result.get("missed"):
            self._not_found(entry, request)
        else:
            with self._store.begin() as session:
                steps.note(session, request.id, Step.CREATE, missed=1)
            self._wait(entry, request, now + SETTLING)

    def _not_found(self, entry: Entry, request: Request) -> None:
        """It is certain that nothing was added: the call is made again, unless that has come to nothing often enough."""
        if self._times(request, EventKind.SETTLED) >= TRIES - 1:
            sentence = (
                f"{request.ask.pbx} was asked {TRIES} times to add the certificate, never gave a clear answer, and does not "
                "list it. Look at the PBX, then ask again."
            )
            self._fail(entry, request, sentence, "no_answer")
            return
        with self._settling(entry) as session:
            now = self._store.now()
            steps.move(session, now, request.id, Step.CREATE, StepState.SENT, StepState.INTENDED, result={})
            self._tell(session, request, EventKind.SETTLED, name=_evidence(request).name, found=False)

    def _follow(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        created = self._taken(request)[Step.CREATE]
        found = ours(pbx.list_certificates(), self._wanted(request), created.known)
        now, domain = self._store.now(), request.ask.domain
        if len(found) != 1:
            self._lost(entry, request, created, len(found))
        elif found[0].apply_status is ApplyStatus.FAILED:
            self._not_issued(entry, request, found[0])
        elif found[0].apply_status is ApplyStatus.ISSUING and now < created.changed_at + ISSUING_FOR:
            self._wait(entry, request, later(now, entry.attempt, first=1.0, longest=30.0), well=True)
        elif found[0].apply_status is ApplyStatus.ISSUING:
            self._unknown(entry, request, f"{request.ask.pbx} is still applying for {domain} after two hours")
        else:
            seconds = round((now - created.changed_at).total_seconds())
            with self._settling(entry) as session:
                steps.intend(session, now, request.id, Step.FOLLOW)
                steps.settle(session, now, request.id, Step.FOLLOW, StepState.INTENDED, id=found[0].id)
                self._tell(session, request, EventKind.ISSUED, domain=domain, seconds=seconds)

    def _not_issued(self, entry: Entry, request: Request, one: ListedCertificate) -> None:
        sentence = (
            f"{request.ask.pbx} applied for {request.ask.domain} and was refused. Check that the DNS credentials may change "
            f"the zone and that the domain is served by {request.ask.provider}. The failed entry stays in the PBX's list and "
            "takes a slot until somebody deletes it there."
        )
        self._fail(entry, request, sentence, "issuance_fail", apply_tip_code=one.apply_tip_code)

    def _confirm(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        created = self._taken(request)[Step.CREATE]
        found = ours(pbx.list_certificates(), self._wanted(request), created.known)
        if len(found) != 1:
            self._lost(entry, request, created, len(found))
            return
        one, now = found[0], self._store.now()
        installed = Installed(one.id, one.name, one.type or "", one.issue_to or "", _expiry(one))
        seconds = round((now - (request.decided_at or now)).total_seconds())
        with self._store.begin() as session:
            agenda.finish(session, entry)
            ledger.end(session, now, self._store.vault, request, Execution.DONE, Outcome(installed),
                       **installed.to_json(), seconds=seconds)  # fmt: skip

    # What may come of a visit

    def _lost(self, entry: Entry, request: Request, created: Taken, count: int) -> None:
        """The PBX took it and does not list exactly one: wait a while for it to appear, then a person must look."""
        if count == 0 and self._store.now() < created.changed_at + SETTLING:
            self._wait(entry, request, later(self._store.now(), entry.attempt))
        else:
            what = "does not list it any more" if count == 0 else f"lists {count} new certificates that look like this one"
            self._unknown(entry, request, f"{request.ask.pbx} took the certificate and {what}")

    def _take_course(self, entry: Entry, request: Request, error: PbxError, course: Course) -> None:
        now = self._store.now()
        if course is Course.FAIL or now > self._since(request) + PATIENCE[course]:
            self._give_up(entry, request, error)
            return
        due = now + PAUSE[course] if course in PAUSE else later(now, entry.attempt)
        kind = EventKind.LOGIN_STOPPED if course is Course.STOPPED else EventKind.RETRYING
        self._pause(entry, request, error, due, kind)

    def _give_up(self, entry: Entry, request: Request, error: PbxError) -> None:
        created = self._taken(request).get(Step.CREATE)
        if created is None or created.state is StepState.INTENDED:
            self._fail(entry, request, sentence(error), error.code)
        else:
            self._unknown(entry, request, sentence(error))

    def _pause(
        self, entry: Entry, request: Request, error: PbxError, due: datetime, kind: EventKind = EventKind.RETRYING
    ) -> None:
        """Come back later; the thread is told once, not at every attempt."""
        with self._store.begin() as session:
            if self._last(session, request).kind is not kind:
                self._tell(session, request, kind, pbx=request.ask.pbx, sentence=sentence(error), code=error.code)
            ledger.execute(session, request, Execution.WAITING)
            agenda.again(session, entry, due)

    def _times(self, request: Request, kind: EventKind) -> int:
        with self._store.begin() as session:
            return sum(event.kind is kind for event in audit.events_of(session, request.id))

    def _since(self, request: Request) -> datetime:
        """When the trouble began that the thread was told of last; now, if that was something else."""
        with self._store.begin() as session:
            last = self._last(session, request)
        return last.at if last.kind in _OUTAGES else self._store.now()

    def _last(self, session: Session, request: Request) -> Event:
        """The last thing that happened to the request; a click that was refused on its card changed nothing."""
        return [event for event in audit.events_of(session, request.id) if event.kind is not EventKind.REFUSED][-1]

    def _intend(self, entry: Entry, request: Request, step: Step, known: Sequence[int]) -> None:
        """Commit that the call is about to leave, if the lease is still ours."""
        now = self._store.now()
        with self._store.begin() as session:
            agenda.hold(session, entry, now)
            steps.forget(session, request.id, step)
            steps.intend(session, now, request.id, step, known)
            steps.sent(session, now, request.id, step)

    @contextmanager
    def _settling(self, entry: Entry) -> Iterator[Session]:
        """The transaction of a step's outcome: the next visit is due with it, or nothing of it is kept."""
        with self._store.begin() as session:
            yield session
            agenda.again(session, entry, self._store.now(), fresh=True)

    def _tell(self, session: Session, request: Request, kind: EventKind, **data: Any) -> None:
        audit.append(session, self._store.now(), kind, BOT, request.id, **data)
        ledger.narrate(session, self._store.now(), request.id)

    def _wanted(self, request: Request) -> Wanted:
        uploaded = self._taken(request).get(Step.UPLOAD)
        return Wanted.by(request, str(uploaded.result.get("name", "")) if uploaded else "")

    def _wait(self, entry: Entry, request: Request, due: datetime, *, well: bool = False) -> None:
        """``well``: the PBX answers, so an outage that the thread was told of is over, and its patience with it."""
        with self._store.begin() as session:
            if well and self._last(session, request).kind in _OUTAGES:
                self._tell(session, request, EventKind.ANSWERING)
            ledger.execute(session, request, Execution.WAITING)
            agenda.again(session, entry, due)

    def _fail(self, entry: Entry, request: Request, sentence: str, code: str, **data: Any) -> None:
        self._end(entry, request, Execution.FAILED, sentence, code=code, **data)

    def _unknown(self, entry: Entry, request: Request, what: str) -> None:
        sentence = f"{what}. The bot does not guess: please look at the PBX's certificate list yourself."
        self._end(entry, request, Execution.UNKNOWN, sentence, code="unknown")

    def _end(self, entry: Entry, request: Request, state: Execution, sentence: str, **data: Any) -> None:
        with self._store.begin() as session:
            agenda.finish(session, entry)
            ledger.end(session, self._store.now(), self._store.vault, request, state, Outcome(sentence=sentence),
                       sentence=sentence, **data)  # fmt: skip


def _evidence(request: Request) -> Evidence:
    return Evidence.from_json(request.evidence or {})


def _expiry(one: ListedCertificate) -> str:
    return one.expires.date().isoformat() if one.expires else one.expiration_text
