"""A narrator, or several, before a Slack that keeps its limits, in a time that jumps from one due entry to the next.

Nothing sleeps: the limits, the budgets and the agenda share one clock, so an hour of telling takes seconds, and is the same
every time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import yaml
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Execution, Installed, Outcome, Request
from bot.sandbox.slack import RateLimits, Workspace
from bot.sandbox.slack.records import Json
from bot.slack.budget import Budget
from bot.slack.gateway import Gateway
from bot.store import agenda, audit, ledger
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.work.context import Context
from bot.work.narrate import Narrator
from bot.work.sweep import Sweeper, schedule
from tests.unit import store_kit
from tests.unit.deciding import config_of, context_of
from tests.unit.store_kit import ANA, NOW, TESS, Clock

MANIFEST = Path(__file__).parents[2] / "manifest.yml"
DONE = Installed(7, "corp-root.crt", "trusted", "Corp Root", "2036-01-01")
STEPS = (EventKind.APPLYING, EventKind.LOOKED, EventKind.UPLOADED, EventKind.CREATED)


class Stage:
    """The workspace, the ledger, and the replicas that tell."""

    def __init__(self, database: str, replicas: int = 1, limits: bool = True) -> None:
        self.clock = Clock()
        self._monotonic = lambda: (self.clock.now - NOW).total_seconds()
        allowed = RateLimits(1.0, self._monotonic) if limits else RateLimits.none()
        self.slack = Workspace(yaml.safe_load(MANIFEST.read_text()), limits=allowed, now=self.clock)
        self.slack.start()
        self.tess, self.ana = self.slack.add_person("Tess", id=TESS), self.slack.add_person("Ana", id=ANA)
        self.channel = self.slack.add_channel("certs", (self.tess, self.ana), id="C1")
        self.store = _store(database, self.clock)
        self.config = config_of(hq={"approvers": (ANA,)})
        self._replicas, self._turn = replicas, 0
        self.restart()

    def restart(self) -> None:
        """All replicas begin anew."""
        self._visits = [self._replica() for _ in range(self._replicas)]

    def _replica(self) -> dict[Work, Callable[[Entry], None]]:
        budget = Budget(clock=self._monotonic)
        slack = Gateway(self.slack.bot_token, self.slack.url, now=self.clock, budget=budget)
        return self.visits_of(context_of(self.store, self.config, slack))  # type: ignore[arg-type]

    def visits_of(self, context: Context) -> dict[Work, Callable[[Entry], None]]:
        """What a replica does."""
        narrator = Narrator(context)
        return {Work.NARRATE: narrator.visit, Work.SWEEP: Sweeper(context, narrator).visit}

    def close(self) -> None:
        self.store.close()
        self.slack.stop()

    # What happens to requests

    def ask(self, number: int) -> Request:
        return store_kit.pending(self.store, delivery=f"d{number}")

    def approve(self, request: Request) -> None:
        store_kit.count(self.store, store_kit.record(self.store, request, ANA))

    def take(self, request: Request, *steps: EventKind) -> None:
        """The bot takes these steps."""
        with self.store.begin() as session:
            for step in steps:
                if step is EventKind.APPLYING:
                    ledger.execute(session, _load(session, request), Execution.APPLYING)
                audit.append(session, self.store.now(), step, BOT, request.id, name="corp-root.crt", used=1, slots=20)
            ledger.narrate(session, self.store.now(), request.id)

    def wait(self, request: Request) -> None:
        self._move(request, Execution.WAITING)

    def go_on(self, request: Request) -> None:
        self._move(request, Execution.APPLYING)

    def _move(self, request: Request, to: Execution) -> None:
        with self.store.begin() as session:
            if _load(session, request).execution is not to:
                ledger.execute(session, _load(session, request), to)
            ledger.narrate(session, self.store.now(), request.id)

    def end(self, request: Request) -> None:
        with self.store.begin() as session:
            ledger.end(session, self.store.now(), self.store.vault, _load(session, request), Execution.DONE, Outcome(DONE),
                       **DONE.to_json())  # fmt: skip

    def sweep(self) -> None:
        """Let the rounds begin."""
        with self.store.begin() as session:
            schedule(session, self.store.now())

    # Time

    def run(self, seconds: float = 1e9) -> None:
        """Work off what is due, and let the time pass to what is due next; until nothing is, or for so long."""
        end = self.clock.now + timedelta(seconds=min(seconds, 1e8))
        kinds = tuple(self._visits[0])
        while True:
            with self.store.begin() as session:
                entry = agenda.claim(session, "stage", self.clock.now, kinds)
                due = None if entry else agenda.next_due(session, self.clock.now, kinds)
            if entry is not None:
                self.visit(entry)
            elif due is None or due > end:
                self.clock.now = end if seconds < 1e8 else self.clock.now
                return
            else:
                self.clock.now = due

    def visit(self, entry: Entry) -> None:
        """The replica whose turn it is."""
        self._turn += 1
        self._visits[self._turn % len(self._visits)][entry.kind](entry)

    # What can be seen

    def cards(self) -> list[Json]:
        return [message for message in self.slack.messages(self.channel) if "metadata" in message]

    def card(self, request: Request) -> Json:
        return next(card for card in self.cards() if card["metadata"]["event_payload"]["event"] == f"{request.id}/card")

    def replies(self, request: Request) -> list[Json]:
        return self.slack.messages(self.channel, thread_ts=self.card(request)["ts"])

    def lines(self, request: Request) -> list[str]:
        """How each line of the thread begins."""
        return [beginning for reply in self.replies(request) for beginning in self._beginnings(reply["blocks"])]

    def threads(self) -> dict[str, tuple[str, list[str]]]:
        """For the event of every card: what it says, and how each line of its thread begins. One look, for many."""
        with self.slack.state.changed:
            messages = [message for message in self.channel.messages if message.metadata]
        lines: defaultdict[str | None, list[str]] = defaultdict(list)
        for message in messages:
            lines[message.thread_ts] += self._beginnings(message.blocks) if message.thread_ts else []
        return {
            message.metadata["event_payload"]["event"]: (self.slack.read({"blocks": message.blocks}), lines[message.ts])
            for message in messages
            if message.metadata and not message.thread_ts
        }

    def _beginnings(self, blocks: list[Json]) -> list[str]:
        sections = [block for block in blocks if block["type"] == "section"]
        return [self.slack.read({"blocks": [block]}).split(" ")[0] for block in sections]

    def calls(self) -> Counter[str]:
        return Counter(call.method for call in self.slack.log)

    def refusals(self) -> list[str]:
        return [f"{call.method} {call.error}" for call in self.slack.log if call.error]


#: How the lines of a trusted CA's thread begin.
STORY = ["👍", "👍", "⚙️", "🔎", "📤", "📥", "✅"]


def _store(database: str, clock: Clock) -> Store:
    """A SQLite file does not wait for the disk here: nobody pulls the plug."""
    store = Store(database, store_kit.KEY, clock)
    if store.engine.dialect.name == "sqlite":
        event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF").close())
    store.migrate()
    return store


def _load(session: Session, request: Request) -> Request:
    found = ledger.load(session, request.id)
    assert found is not None
    return found
