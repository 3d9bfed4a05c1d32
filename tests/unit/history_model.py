"""What should become of requests, in plain Python: the rules as people would tell them, without a database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: The transitions as promise 1 of the design has them, and a request's birth.
STEPS = {
    ("draft", ""): {("pending", ""), ("withdrawn", ""), ("expired", "")},
    ("pending", ""): {("approved", "queued"), ("rejected", ""), ("withdrawn", ""), ("expired", "")},
    ("approved", "queued"): {("approved", "applying"), ("approved", "unknown"), ("withdrawn", "")},
    ("approved", "applying"): {("approved", end) for end in ("waiting", "done", "failed", "unknown")},
    ("approved", "waiting"): {("approved", end) for end in ("applying", "failed", "unknown")},
    ("approved", "unknown"): {("approved", end) for end in ("unknown", "applying", "done", "failed")},
}
ENDS = {("approved", end) for end in ("done", "failed")} | {(end, "") for end in ("rejected", "withdrawn", "expired")}
DRAFT_FOR, PENDING_FOR = timedelta(hours=1), timedelta(hours=8)


def reachable(old: tuple[str, str], new: tuple[str, str]) -> bool:
    """Whether the table leads from one state to the other, in one step or several."""
    seen, todo = {old}, [old]
    while todo:
        for after in STEPS.get(todo.pop(), set()) - seen:
            seen.add(after)
            todo.append(after)
    return new in seen


@dataclass(frozen=True)
class Seen:
    """What was on somebody's screen."""

    number: int
    version: int
    digest: str

    def forged(self, change: str, numbers: Sequence[int]) -> "Seen":
        """A button's value that nobody was shown; itself for a change that there is not."""
        other = numbers[(numbers.index(self.number) + 1) % len(numbers)]
        lies = {
            "digest": Seen(self.number, self.version, "f" * 64),
            "version": Seen(self.number, self.version + 1, self.digest),
            "number": Seen(other, self.version, self.digest),
            "empty": Seen(self.number, self.version, ""),
        }
        return lies.get(change, self)


@dataclass
class Model:
    """One request."""

    number: int
    requester: str
    needed: int
    approvers: frozenset[str]
    touched: datetime
    version: int = 1
    digest: str = ""
    decision: str = "draft"
    execution: str = ""
    expires: datetime | None = None
    votes: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> tuple[str, str]:
        return self.decision, self.execution

    @property
    def has_ended(self) -> bool:
        return self.state in ENDS

    def shows(self, seen: Seen) -> bool:
        return seen == Seen(self.number, self.version, self.digest) and bool(self.digest)

    def revise(self, now: datetime) -> bool:
        if self.decision != "draft":
            return False
        self.version, self.digest, self.touched = self.version + 1, "", now
        return True

    def confirm(self, user: str, seen: Seen, now: datetime) -> bool:
        if user != self.requester or not self.shows(seen):
            return False
        if self.decision == "draft":
            self.decision, self.expires = "pending", now + PENDING_FOR
        return self.expires is not None

    def change(self, version: int, drafted: datetime, now: datetime) -> bool:
        """Whether what was drafted then upon this version takes its place now; then votes start again."""
        is_open = self.decision == "pending" and self.expires is not None and now < self.expires
        if not is_open or self.version != version or now >= drafted + DRAFT_FOR:
            return False
        self.version, self.votes, self.expires = version + 1, {}, now + PENDING_FOR
        return True

    def click(self, user: str, verdict: str, seen: Seen, now: datetime) -> bool:
        """Whether it counts."""
        is_open = self.decision == "pending" and self.expires is not None and now < self.expires
        if not is_open or not self.shows(seen) or user in self.votes:
            return False
        if user == self.requester or user not in self.approvers:
            return False
        self.votes[user] = verdict
        if verdict == "reject":
            self.decision = "rejected"
        elif sum(vote == "approve" for vote in self.votes.values()) >= self.needed:
            self.decision, self.execution = "approved", "queued"
        return True

    def withdraw(self, user: str) -> bool:
        """Only as long as the bot has not begun."""
        if user != self.requester or self.state not in (("draft", ""), ("pending", ""), ("approved", "queued")):
            return False
        self.decision, self.execution = "withdrawn", ""
        return True

    def time_passes(self, now: datetime) -> None:
        if self.decision == "draft" and now >= self.touched + DRAFT_FOR:
            self.decision = "expired"
        if self.decision == "pending" and self.expires is not None and now >= self.expires:
            self.decision = "expired"

    def execute(self, new: str) -> bool:
        if ("approved", new) not in STEPS.get(self.state, set()) or self.decision != "approved":
            return False
        self.execution = new
        return True
