"""Replicas that remind, escalate, let expire and write digests, in the time of `tests.flow.telling`, which jumps."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from bot.domain.events import EventKind
from bot.domain.requests import Request
from bot.domain.rules import Rule, Seats
from bot.sandbox.slack import Person
from bot.store import audit
from bot.store.agenda import Entry, Work
from bot.store.tables import EventRow
from bot.work import digest
from bot.work.context import Context
from bot.work.digest import Digester
from bot.work.expire import Expirer
from bot.work.remind import Reminder
from tests.flow.telling import Stage
from tests.unit import store_kit
from tests.unit.store_kit import TESS

BEN, CLEO = "U0BEN", "U0CLEO"
HOURS = 3600.0
DAY = 24 * HOURS


class Office(Stage):
    """Tess asks; Ana, Ben and Cleo may be asked."""

    def __init__(self, database: str, replicas: int = 1, limits: bool = False) -> None:
        super().__init__(database, replicas, limits)
        self.ben, self.cleo = self.slack.add_person("Ben", id=BEN), self.slack.add_person("Cleo", id=CLEO)

    def visits_of(self, context: Context) -> dict[Work, Callable[[Entry], None]]:
        reminder = Reminder(context).visit
        more = {Work.REMIND: reminder, Work.ESCALATE: reminder, Work.EXPIRE: Expirer(context).visit}
        return super().visits_of(context) | more | {Work.DIGEST: Digester(context).visit}

    def ask_under(self, number: int, rule: Rule, requester: str = TESS) -> Request:
        return store_kit.pending(self.store, requester, rule, delivery=f"d{number}")

    def begin_days(self) -> None:
        """As a replica does when it starts."""
        with self.store.begin() as session:
            digest.schedule(session, self.store.now(), self.config.slack)

    def configure(self, **slack: object) -> None:
        """All replicas are started again, configured otherwise."""
        self.config = self.config.model_copy(update={"slack": self.config.slack.model_copy(update=slack)})
        self.restart()
        self.begin_days()

    def dms(self, person: Person) -> list[str]:
        return [self.slack.read(message) for message in person.dms()]

    def told_at(self, person: Person) -> list[datetime]:
        """When the person was written to, by the workspace's clock."""
        return [datetime.fromtimestamp(float(message["ts"]), self.clock.now.tzinfo) for message in person.dms()]

    def events(self, kind: EventKind) -> list[dict[str, object]]:
        with self.store.begin() as session:
            audit.verify(session)
            rows = session.scalars(select(EventRow).filter_by(kind=kind.value).order_by(EventRow.id))
            return [dict(audit.event(session, row.id).data) for row in rows]  # type: ignore[union-attr]


def by(*subjects: str, needed: int = 1, **how: object) -> Rule:
    """A rule that stays open for long."""
    return Rule("hq", "policy[0]", all=(Seats(subjects, needed),), open_for=timedelta(days=10), **how)  # type: ignore[arg-type]
