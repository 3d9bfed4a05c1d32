"""Look at a PBX for a request whose fate a person was asked about: what is seen settles it, and nothing is sent."""

from collections.abc import Sequence

from bot.domain.plan import Step
from bot.domain.requests import Kind, Request
from bot.exceptions import PbxAway, PbxError
from bot.pbx.client import PbxClient
from bot.pbx.models import ApplyStatus, ListedCertificate
from bot.store.agenda import Entry
from bot.work import trouble
from bot.work.context import Context
from bot.work.finding import ours
from bot.work.progress import Progress


class Looker:
    """One look for one press of Check again, or for a ledger that was restored from a backup."""

    def __init__(self, context: Context, progress: Progress) -> None:
        self._context = context
        self._visit = progress

    def visit(self, entry: Entry, request: Request) -> None:
        if not self._context.knows(request.ask.pbx):
            self._visit.want_person(entry, request, f"{request.ask.pbx} is not configured any more, so the bot cannot look.")
            return
        try:
            listed = _list(self._context.pbx(request.ask.pbx))
        except PbxError as error:
            self._visit.want_person(entry, request, f"The bot could not look. {trouble.sentence(error)}")
            return
        self._judge(entry, request, listed)

    def _judge(self, entry: Entry, request: Request, listed: Sequence[ListedCertificate]) -> None:
        created = self._visit.taken(request).get(Step.CREATE)
        found = ours(listed, self._visit.wanted(request), created.known if created else ())
        pbx = request.ask.pbx
        if not found:
            self._visit.want_person(entry, request, f"{pbx} does not list this certificate now.")
        elif len(found) > 1:
            self._visit.want_person(entry, request, f"{pbx} lists {len(found)} certificates that look like this one.")
        elif request.ask.kind is not Kind.APPLY:  # the file's name bears the request's number
            self._visit.done(entry, request, found[0])
        elif created is None:
            what = f"{pbx} lists a certificate for {request.ask.domain}; whether it comes from this request cannot be seen."
            self._visit.want_person(entry, request, what)
        else:
            self._applied(entry, request, found[0])

    def _applied(self, entry: Entry, request: Request, one: ListedCertificate) -> None:
        if one.apply_status is ApplyStatus.SUCCESS:
            self._visit.done(entry, request, one)
        elif one.apply_status is ApplyStatus.FAILED:
            self._visit.not_issued(entry, request, one)
        else:
            self._visit.want_person(entry, request, f"{request.ask.pbx} is still applying for {request.ask.domain}.")


def _list(pbx: PbxClient) -> list[ListedCertificate]:
    """A person asked for this look, so a PBX that is left alone is asked whether it is back."""
    try:
        return pbx.list_certificates()
    except PbxAway:
        pbx.probe()
        return pbx.list_certificates()
