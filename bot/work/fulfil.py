"""Carry out an approved request: one short visit to its PBX for each step.

Every call's intent is committed before the call, with the ids that the PBX listed then; its outcome is committed with the
agenda entry of the next visit (`bot.work.progress`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain.events import EventKind
from bot.domain.plan import Evidence, Step, slots_of, steps_of
from bot.domain.requests import Kind, Request, StepState
from bot.exceptions import PbxError, VaultError
from bot.pbx.client import PbxClient
from bot.pbx.models import ApplyStatus, CertificateType, Created, DnsSettings, ListedCertificate
from bot.pbx.overheard import Overheard
from bot.store import agenda, steps
from bot.store.agenda import Entry
from bot.store.steps import Taken
from bot.work import calls, trouble
from bot.work.context import Context
from bot.work.finding import ours
from bot.work.looker import Looker
from bot.work.loop import later
from bot.work.progress import RARELY, Progress
from bot.work.trouble import Course

log = structlog.get_logger(__name__)

#: Nobody may say "it is not there" sooner after a call whose answer was lost (promise 5); that it is there shows sooner.
SETTLING = timedelta(seconds=60)
FIRST_LOOK = timedelta(seconds=3)
#: How often a call that comes to nothing, without being refused for good, is made at most.
TRIES = 3
#: How long the PBX may take to be issued a certificate; DNS propagation is a matter of minutes.
ISSUING_FOR = timedelta(hours=2)
#: The steps up to the one that cannot be taken back.
_BEFORE = (Step.LOOK, Step.UPLOAD, Step.CREATE)
_CHANGED = (
    "What is stored of this request is not what was approved, so nothing more was sent. Somebody changed the bot's database: "
    "an operator should run pbx-cert-bot audit verify."
)


class Fulfiller:
    """Takes the next step of a request, and says when the one after it is due."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._visit = Progress(context.store)
        self._looker = Looker(context, self._visit)
        self._take: dict[Step, Callable[[Entry, Request, PbxClient], None]] = {
            Step.LOOK: self._look,
            Step.UPLOAD: self._upload,
            Step.CREATE: self._create,
            Step.FOLLOW: self._follow,
            Step.CONFIRM: self._confirm,
        }

    def visit(self, entry: Entry) -> None:
        request = self._visit.begin(entry, self._context.beginning)
        if request is not None:
            with calls.of_visit(self._store, request.id, Step.LOOK.value) as heard:
                self._go_on(entry, request, heard)

    def _go_on(self, entry: Entry, request: Request, heard: Overheard) -> None:
        if request.awaits_word:
            self._looker.visit(entry, request)
            return
        try:
            if not self._context.knows(request.ask.pbx):
                self._gone(entry, request)
                return
            step = self._next(request)
            heard.step = step.value
            if step in _BEFORE and not self._visit.is_approved(request):
                self._visit.fail(entry, request, _CHANGED, "changed")
                return
            self._take[step](entry, request, self._context.pbx(request.ask.pbx))
        except PbxError as error:
            self._visit.take_course(entry, request, error, trouble.for_reading(error))
        except VaultError as error:
            self._visit.fail(entry, request, f"{error.message} An operator has to put the old key back.", error.code)

    def _gone(self, entry: Entry, request: Request) -> None:
        """The PBX was taken out of the configuration, so it can be asked neither to do anything nor what became of a call."""
        gone = f"{request.ask.pbx} is not configured any more"
        if self._visit.may_have_happened(request):
            self._visit.want_person(entry, request, f"{gone}, so the bot cannot look.")
        else:
            self._visit.fail(entry, request, f"{gone}, so nothing was done.", "no_pbx")

    def _next(self, request: Request) -> Step:
        taken = self._visit.taken(request)
        settled = {step for step, row in taken.items() if row.state is StepState.SETTLED}
        return next((step for step in steps_of(request.ask.kind) if step not in settled), Step.CONFIRM)

    # The steps

    def _look(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        kind = request.ask.kind
        used, slots = sum(one.type == kind.slot_type for one in pbx.list_certificates()), slots_of(kind)
        if used >= slots:
            sentence = (
                f"{request.ask.pbx} already holds {used} of {slots} {kind.slot_type} certificates, so nothing was sent. "
                "Delete one there that is not needed any more, then ask again."
            )
            self._visit.fail(entry, request, sentence, "no free slot")
            return
        with self._visit.settling(entry, request) as session:
            steps.intend(session, self._store.now(), request.id, Step.LOOK)
            steps.settle(session, self._store.now(), request.id, Step.LOOK, StepState.INTENDED, used=used, slots=slots)
            self._visit.tell(session, request, EventKind.LOOKED, used=used, slots=slots, type=kind.slot_type)

    def _upload(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        """Uploading again is harmless: the PBX keeps such files for an hour or so and lists none of them."""
        with self._store.begin() as session:
            content = self._store.vault.take(session, request.id, "bundle")
        if content is None:
            raise VaultError("The certificate's file is not in the vault any more.")
        self._visit.intend(entry, request, Step.UPLOAD, ())
        name = pbx.upload(CertificateType(request.ask.kind.slot_type), _evidence(request).name, content)
        with self._visit.settling(entry, request) as session:
            steps.settle(session, self._store.now(), request.id, Step.UPLOAD, StepState.SENT, name=name)
            self._visit.tell(session, request, EventKind.UPLOADED, name=name)

    def _create(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        taken = self._visit.taken(request)
        create = taken.get(Step.CREATE)
        if create is not None and create.state is StepState.SENT:
            self._find_out(entry, request, pbx, create)
            return
        listed = pbx.list_certificates()
        if create is not None and (late := ours(listed, self._visit.wanted(request), create.known)):
            self._found(entry, request, create, late)
            return
        call = self._creating(request, pbx, taken)
        known = create.known if create is not None else [one.id for one in listed]  # so that the first call shows, however late
        not_after = self._visit.intend(entry, request, Step.CREATE, known)
        try:
            created = call(not_after)
        except PbxError as error:
            if create is not None and (late := ours(pbx.list_certificates(), self._visit.wanted(request), known)):
                self._found(entry, request, self._visit.taken(request)[Step.CREATE], late)  # that is why it is refused
            else:
                self._not_created(entry, request, error)
            return
        with self._visit.settling(entry, request) as session:
            now, status = self._store.now(), created.apply_status
            steps.settle(session, now, request.id, Step.CREATE, StepState.SENT, name=created.name)
            if request.ask.kind is Kind.APPLY:
                self._visit.tell(session, request, EventKind.ISSUING, domain=request.ask.domain)
            else:
                self._visit.tell(session, request, EventKind.CREATED, name=created.name, apply_status=status)

    def _not_created(self, entry: Entry, request: Request, error: PbxError) -> None:
        course = trouble.for_creating(error, uploaded=request.ask.needs_files)
        if course is Course.UPLOAD_AGAIN and self._visit.times(request, EventKind.UPLOADED) >= TRIES:
            course = Course.FAIL
        if course is Course.LOOK:
            self._visit.doubt(entry, request, trouble.sentence(error), self._store.now() + FIRST_LOOK)
            return
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())  # whoever took over knows better
            steps.forget(session, request.id, Step.CREATE)
            if course is Course.UPLOAD_AGAIN:
                steps.forget(session, request.id, Step.UPLOAD)
        if course is Course.UPLOAD_AGAIN:
            self._visit.pause(entry, request, error, self._store.now())
        else:
            self._visit.take_course(entry, request, error, course)

    def _creating(self, request: Request, pbx: PbxClient, taken: dict[Step, Taken]) -> Callable[[datetime], Created]:
        ask = request.ask
        with self._store.begin() as session:
            params = self._store.vault.take_json(session, request.id, "dns")
        dns = DnsSettings(ask.provider, params) if ask.needs_dns else None
        if ask.kind is Kind.APPLY:
            assert dns is not None, "an application needs DNS credentials"
            return lambda not_after: pbx.create_apply(ask.domain, dns, not_after=not_after)
        name = str(taken[Step.UPLOAD].result["name"])
        if ask.kind is Kind.TRUSTED:
            return lambda not_after: pbx.create_trusted(name, not_after=not_after)
        return lambda not_after: pbx.create_import(name, auto_renewal=ask.auto_renewal, dns=dns, not_after=not_after)

    def _find_out(self, entry: Entry, request: Request, pbx: PbxClient, create: Taken) -> None:
        """The call left and nobody knows what became of it: the lists say."""
        found = ours(pbx.list_certificates(), self._visit.wanted(request), create.known)
        now = self._store.now()
        if found:
            self._found(entry, request, create, found)
        elif now < create.changed_at + SETTLING:
            self._visit.wait(entry, request, create.changed_at + SETTLING)
        elif "missed_at" not in create.result:
            with self._store.begin() as session:
                steps.note(session, request.id, Step.CREATE, missed_at=now.isoformat())
            self._visit.wait(entry, request, now + SETTLING)
        elif now < (again := datetime.fromisoformat(create.result["missed_at"]) + SETTLING):
            self._visit.wait(entry, request, again)  # somebody woke it early
        else:
            self._not_found(entry, request)

    def _found(self, entry: Entry, request: Request, create: Taken, found: Sequence[ListedCertificate]) -> None:
        """Exactly one new entry that matches is ours; of several nobody can say which."""
        if len(found) > 1:
            self._visit.want_person(entry, request, f"{len(found)} new certificates look like this one.")
            return
        with self._visit.settling(entry, request) as session:
            now, name = self._store.now(), found[0].name
            steps.settle(session, now, request.id, Step.CREATE, create.state, name=name)
            self._visit.tell(session, request, EventKind.SETTLED, name=name, found=True)

    def _not_found(self, entry: Entry, request: Request) -> None:
        """It is certain that nothing was added: the call is made again, unless that has come to nothing often enough."""
        if self._visit.times(request, EventKind.SETTLED) >= TRIES - 1:
            sentence = (
                f"{request.ask.pbx} was asked {TRIES} times to add the certificate, never gave a clear answer, and does not "
                "list it. Look at the PBX, then ask again."
            )
            self._visit.fail(entry, request, sentence, "no_answer")
            return
        with self._visit.settling(entry, request) as session:
            now = self._store.now()
            steps.move(session, now, request.id, Step.CREATE, StepState.SENT, StepState.INTENDED, result={})
            self._visit.tell(session, request, EventKind.SETTLED, name=_evidence(request).name, found=False)

    def _follow(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        created = self._visit.taken(request)[Step.CREATE]
        found = ours(pbx.list_certificates(), self._visit.wanted(request), created.known)
        now, domain = self._store.now(), request.ask.domain
        if len(found) != 1:
            self._lost(entry, request, created, len(found))
        elif found[0].apply_status is ApplyStatus.FAILED:
            self._visit.not_issued(entry, request, found[0])
        elif found[0].apply_status is ApplyStatus.SUCCESS:
            seconds = round((now - created.changed_at).total_seconds())
            with self._visit.settling(entry, request) as session:
                steps.intend(session, now, request.id, Step.FOLLOW)
                steps.settle(session, now, request.id, Step.FOLLOW, StepState.INTENDED, id=found[0].id)
                self._visit.tell(session, request, EventKind.ISSUED, domain=domain, seconds=seconds)
        elif now < created.changed_at + ISSUING_FOR:  # issuing, or a status that nobody has documented
            self._visit.wait(entry, request, later(now, entry.attempt, first=1.0, longest=30.0), well=True)
        else:
            what = f"{request.ask.pbx} is still applying for {domain} after two hours."
            self._visit.doubt(entry, request, what, later(now, entry.attempt, longest=RARELY))

    def _lost(self, entry: Entry, request: Request, created: Taken, count: int) -> None:
        """The PBX took it and does not list exactly one: wait a while for it to appear; in the end a person must look."""
        now, pbx = self._store.now(), request.ask.pbx
        if count > 1:
            what = f"{pbx} took the certificate and lists {count} new ones that look like it."
            self._visit.want_person(entry, request, what)
        elif now < created.changed_at + SETTLING:
            self._visit.wait(entry, request, later(now, entry.attempt))
        else:
            what = f"{pbx} took the certificate and does not list it any more."
            self._visit.doubt(entry, request, what, later(now, entry.attempt, longest=RARELY))

    def _confirm(self, entry: Entry, request: Request, pbx: PbxClient) -> None:
        created = self._visit.taken(request)[Step.CREATE]
        found = ours(pbx.list_certificates(), self._visit.wanted(request), created.known)
        if len(found) != 1:
            self._lost(entry, request, created, len(found))
            return
        self._visit.done(entry, request, found[0])


def _evidence(request: Request) -> Evidence:
    return Evidence.from_json(request.evidence or {})
