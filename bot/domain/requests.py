"""What people ask for, the states it goes through, and the digest that an approval is bound to.

Pure values: no clock, no database, no Slack. Two machines run side by side and never share a state: the *decision* is made by
people, the *execution* by the bot. Each step of a plan is a third, small one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from bot.domain.kinds import SLOTS as SLOTS
from bot.domain.kinds import Kind as Kind
from bot.domain.rules import Rule


class Decision(StrEnum):
    """What people decided."""

    #: Being filled in and checked; nobody but the requester sees it.
    DRAFT = "draft"
    #: Shown to the approvers and open.
    PENDING = "pending"
    #: The quorum is reached; the bot may act.
    APPROVED = "approved"
    #: An approver said no.
    REJECTED = "rejected"
    #: The requester took it back.
    WITHDRAWN = "withdrawn"
    #: Nobody decided in time.
    EXPIRED = "expired"
    #: The bot's database was put back from a backup meanwhile, so that nobody knows what was decided since.
    VOID = "void"


class Execution(StrEnum):
    """What the bot made of an approved request."""

    #: On the agenda.
    QUEUED = "queued"
    #: A step is being taken.
    APPLYING = "applying"
    #: The next look comes later.
    WAITING = "waiting"
    #: The PBX lists the certificate.
    DONE = "done"
    #: It will not happen; the reason is known.
    FAILED = "failed"
    #: It may or may not have happened. The bot looks; when that tells nothing, a person says (`Request.awaits_word`).
    UNKNOWN = "unknown"


class StepState(StrEnum):
    """How far one call to the PBX has come."""

    #: Decided upon, with what the PBX listed then.
    INTENDED = "intended"
    #: The call may have left.
    SENT = "sent"
    #: Its outcome is known.
    SETTLED = "settled"


#: The one table of allowed transitions; the ledger refuses every other.
TRANSITIONS: Mapping[Decision | Execution | StepState | None, frozenset[Decision | Execution | StepState]] = {
    Decision.DRAFT: frozenset({Decision.PENDING, Decision.WITHDRAWN, Decision.EXPIRED, Decision.VOID}),
    Decision.PENDING: frozenset({Decision.APPROVED, Decision.REJECTED, Decision.WITHDRAWN, Decision.EXPIRED, Decision.VOID}),
    # Only as long as its execution is queued; once the bot has begun, nobody can take it back.
    Decision.APPROVED: frozenset({Decision.WITHDRAWN}),
    Execution.QUEUED: frozenset({Execution.APPLYING, Execution.UNKNOWN}),
    Execution.APPLYING: frozenset({Execution.WAITING, Execution.DONE, Execution.FAILED, Execution.UNKNOWN}),
    Execution.WAITING: frozenset({Execution.APPLYING, Execution.FAILED, Execution.UNKNOWN}),
    Execution.UNKNOWN: frozenset({Execution.UNKNOWN, Execution.APPLYING, Execution.DONE, Execution.FAILED}),
    StepState.INTENDED: frozenset({StepState.SENT, StepState.SETTLED}),
    StepState.SENT: frozenset({StepState.INTENDED, StepState.SETTLED}),
}


def allowed(old: Decision | Execution | StepState, new: Decision | Execution | StepState) -> bool:
    """Whether the table has the transition."""
    return new in TRANSITIONS.get(old, frozenset())


@dataclass(frozen=True)
class ReceivedFile:
    """A file somebody uploaded to Slack for a request; its content lies in the vault."""

    id: str
    name: str
    size: int = 0
    permalink: str = ""
    held_key: bool = False


@dataclass(frozen=True)
class Ask:
    """What a person typed into the form, as typed. Credentials and file contents are not here but in the vault.

    ``dns`` is the name of a configured profile, ``""`` for none, or `TYPED` when the credentials follow the provider's own
    parameters; ``params`` then names the keys that were given, in order.
    """

    pbx: str = ""
    kind: Kind = Kind.TRUSTED
    reason: str = ""
    domain: str = ""
    auto_renewal: bool = False
    dns: str = ""
    provider: str = ""
    params: tuple[str, ...] = ()
    files: tuple[ReceivedFile, ...] = ()
    #: When it shall begin at the earliest, in ISO 8601 with a time zone; "" for as soon as it is approved and may be.
    start: str = ""
    #: At once and without the approvals, where the rule lets the requester do that.
    emergency: bool = False
    #: The ended request after which this is asked for anew.
    after: int | None = None

    @property
    def needs_files(self) -> bool:
        return self.kind is not Kind.APPLY

    @property
    def needs_dns(self) -> bool:
        return self.kind is Kind.APPLY or (self.kind is Kind.IMPORT and self.auto_renewal)

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        files = tuple(ReceivedFile(**file) for file in data.get("files", ()))
        values = {**data, "kind": Kind(data["kind"]), "params": tuple(data.get("params", ())), "files": files}
        return cls(**values)

    def without_files(self) -> Self:
        return replace(self, files=())


#: `Ask.dns` when the requester typed the credentials.
TYPED = ":typed"


@dataclass(frozen=True)
class Vote:
    """One counted voice; ``seats`` are the groups of approvers that it stood for, as in `bot.domain.rules.Rule.seats`."""

    user: str
    verdict: str
    reason: str
    at: datetime
    seats: frozenset[int] = frozenset()

    @property
    def is_approval(self) -> bool:
        return self.verdict == "approve"


@dataclass(frozen=True)
class Installed:
    """The certificate as the PBX lists it at the end, and nothing more: the API shows no fingerprint."""

    id: int
    name: str
    type: str
    issue_to: str
    expires: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """How the execution ended: the certificate as listed, or a sentence; ``by`` is the person who says it, if not the bot."""

    installed: Installed | None = None
    sentence: str = ""
    by: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"installed": self.installed and self.installed.to_json(), "sentence": self.sentence, "by": self.by}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self | None:
        if data is None:
            return None
        installed = data.get("installed")
        return cls(Installed(**installed) if installed else None, data.get("sentence", ""), data.get("by", ""))


@dataclass(frozen=True)
class Request:
    """One request as the ledger holds it: what every card, line and decision is rendered from."""

    id: int
    version: int
    decision: Decision
    execution: Execution | None
    requester: str
    ask: Ask
    approvals_needed: int
    created_at: datetime
    evidence: Mapping[str, Any] | None = None
    plan: tuple[Mapping[str, str], ...] = ()
    digest: str = ""
    channel: str = ""
    asked_in: str = ""
    view_id: str = ""
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    ended_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
    outcome: Outcome | None = None
    problems: tuple[Mapping[str, str], ...] = field(default=())
    #: The rule that it was asked under; None while it is a draft that was not checked.
    rule: Rule | None = None
    #: The configuration's rule of today, where that is another one: then both count.
    rule_now: Rule | None = None
    #: For a draft that changes a request: its number, and the version that the requester saw.
    edits: int | None = None
    edits_version: int | None = None
    #: When an approved request begins or was to begin, if not at once.
    starts_at: datetime | None = None
    #: When its personal data was reduced; who asked and voted is not known since then.
    reduced_at: datetime | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All that count: the one that it was asked under, and today's where that is another one."""
        return tuple(rule for rule in (self.rule, self.rule_now) if rule is not None)

    @property
    def number(self) -> int:
        """What people call it: a draft that changes a request bears that one's number."""
        return self.edits or self.id

    @property
    def is_private(self) -> bool:
        """Nobody but its requester has ever seen it: a draft, or one that became the next version of its request."""
        return self.decision is Decision.DRAFT or self.edits is not None

    @property
    def is_open(self) -> bool:
        return self.decision is Decision.PENDING

    @property
    def has_not_begun(self) -> bool:
        """It is approved, and the bot has done nothing of it yet."""
        return self.decision is Decision.APPROVED and self.execution is Execution.QUEUED

    @property
    def can_be_withdrawn(self) -> bool:
        return self.is_open or self.has_not_begun

    @property
    def has_ended(self) -> bool:
        """Nothing more will happen by itself."""
        if self.decision is Decision.APPROVED:
            return self.execution in (Execution.DONE, Execution.FAILED)
        return self.decision in (Decision.REJECTED, Decision.WITHDRAWN, Decision.EXPIRED, Decision.VOID)

    def contents(self, secrets: Mapping[str, str] = MappingProxyType({})) -> str:
        """The digest of it as it stands: with the keyed digests of its secrets, what an approval is bound to; without them,
        what anybody can compute who has only what was shown."""
        return digest(
            request=self.id,
            version=self.version,
            requester=self.requester,
            ask=self.ask,
            evidence=self.evidence or {},
            plan=self.plan,
            approvals_needed=self.approvals_needed,
            rule=self.rule,
            secrets=secrets,
        )

    @property
    def can_be_asked_anew(self) -> bool:
        """It has ended, the PBX has nothing of it, and it is known what it asked for."""
        is_over = self.has_ended and self.execution is not Execution.DONE
        return is_over and not self.is_private and self.reduced_at is None

    @property
    def awaits_word(self) -> bool:
        """The bot could not find out whether it happened, so a person has to. Whatever they say, nothing more is sent."""
        return self.execution is Execution.UNKNOWN and self.outcome is not None


def canonical(data: Any) -> str:
    """JSON with one spelling for one value: sorted keys, no spaces, no escapes that are not needed (after RFC 8785)."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(
    *,
    request: int,
    version: int,
    requester: str,
    ask: Ask,
    evidence: Mapping[str, Any],
    plan: tuple[Mapping[str, str], ...],
    approvals_needed: int,
    rule: Rule | None,
    secrets: Mapping[str, str],
) -> str:
    """SHA-256 in hex of everything an approver is shown, and of the keyed digests of the secrets that they are not."""
    shown = {
        "request": request,
        "version": version,
        "requester": requester,
        "ask": ask.to_json(),
        "evidence": evidence,
        "plan": list(plan),
        "approvals_needed": approvals_needed,
        "rule": rule.to_json() if rule else None,
        "secrets": dict(secrets),
    }
    return hashlib.sha256(canonical(shown).encode()).hexdigest()


#: More than a row's number or a version can be (PostgreSQL's integer).
MOST = 2**31


@dataclass(frozen=True)
class Shown:
    """What a button says it was pressed on; the server compares it with the row and trusts nothing else in it."""

    request: int
    version: int
    digest: str

    @classmethod
    def of(cls, request: Request) -> Self:
        return cls(request.id, request.version, request.digest)

    def dump(self) -> str:
        return canonical({"r": self.request, "v": self.version, "d": self.digest})

    @classmethod
    def load(cls, text: str) -> Self:
        """Raises ValueError for anything that is not such a value."""
        try:
            data = json.loads(text)
            numbers, bound = (data["r"], data["v"]), data["d"]
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("not a value of one of our buttons") from error
        if type(bound) is not str or not all(type(number) is int and 0 < number < MOST for number in numbers):
            raise ValueError("not a value of one of our buttons")
        return cls(*numbers, bound)
