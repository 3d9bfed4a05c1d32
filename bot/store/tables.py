"""The tables, as typed mappings. Alembic's migrations make them; a test keeps the two equal.

Correctness lives here where it can: one counted vote a person and version, one claimed agenda entry a key, one post a
purpose, one effect a step, all as unique indexes that hold on SQLite and on PostgreSQL.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, LargeBinary, Text, TypeDecorator, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; a naive one is refused, because nobody could say what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share."""

    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, str: Text, bytes: LargeBinary}


class RequestRow(Base):
    """One request: the decision and the execution, each changed only by a conditional update (`bot.store.ledger`).

    ``version`` counts what was asked for (each new submission of the form is one), not changes of state.
    """

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_open", "pbx", "decision"),
        Index("ix_requests_requester", "requester", "id"),
        Index("ix_requests_pbx", "pbx", "id"),
        Index("ix_requests_key", "key_id"),
        Index("ix_requests_live", "decision", "id", sqlite_where=text("ended_at IS NULL"),
              postgresql_where=text("ended_at IS NULL")),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    decision: Mapped[str]
    execution: Mapped[str | None]
    pbx: Mapped[str]
    requester: Mapped[str]
    ask: Mapped[dict[str, Any]]
    problems: Mapped[list[Any]]
    evidence: Mapped[dict[str, Any] | None]
    plan: Mapped[list[Any]]
    digest: Mapped[str]
    approvals_needed: Mapped[int]
    approvals: Mapped[int]
    channel: Mapped[str]
    asked_in: Mapped[str]
    view_id: Mapped[str]
    #: What Slack sent with the submission that made this version; a second delivery finds it and does nothing.
    delivery: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any] | None]
    #: The rule that it was asked under, and the configuration's of today if that is another one.
    rule: Mapped[dict[str, Any] | None]
    rule_now: Mapped[dict[str, Any] | None]
    #: For a draft that changes a request: which one, and the version that its requester saw.
    edits: Mapped[int | None]
    edits_version: Mapped[int | None]
    #: When an approved request begins, if not at once.
    starts_at: Mapped[datetime | None]
    #: SHA-256 of the certificate's public key (SubjectPublicKeyInfo), in hex; "" where there is none.
    key_id: Mapped[str] = mapped_column(default="", server_default=text("''"))
    #: The host names that it is for, each between spaces, in lower case; for searching.
    names: Mapped[str] = mapped_column(default="", server_default=text("''"))
    #: When its personal data was reduced.
    reduced_at: Mapped[datetime | None]


class VersionRow(Base):
    """What a request was before it was changed; its current version is in its own row."""

    __tablename__ = "versions"

    request: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    ask: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any] | None]
    plan: Mapped[list[Any]]
    digest: Mapped[str]
    rule: Mapped[dict[str, Any] | None]
    replaced_at: Mapped[datetime]


class VoteRow(Base):
    """One click. It is recorded when Slack sends it, and decided when it is known whether it counts."""

    __tablename__ = "votes"
    __table_args__ = (
        Index("ux_votes_counted", "request", "version", "user", unique=True, sqlite_where=text("state = 'counted'"),
              postgresql_where=text("state = 'counted'")),
        Index("ix_votes_waiting", "state", "request"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    request: Mapped[int] = mapped_column(ForeignKey("requests.id"))
    version: Mapped[int]
    digest: Mapped[str]
    user: Mapped[str]
    verdict: Mapped[str]
    reason: Mapped[str]
    #: recorded, then counted, refused or (a click that is no vote) acted; a counted one may lapse
    state: Mapped[str]
    #: Which of its rule's groups of approvers the person was in when it was counted, by number.
    seats: Mapped[list[Any] | None]
    delivery: Mapped[str] = mapped_column(unique=True)
    #: Where the person can be answered privately; sealed, because whoever has it can post.
    reply_to: Mapped[bytes | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class StepRow(Base):
    """One step of a plan: what was intended, that it was sent, how it settled."""

    __tablename__ = "steps"

    request: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    #: The ids that the PBX listed when the step was intended.
    known: Mapped[list[Any]]
    result: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]


class EventRow(Base):
    """One link of the audit chain (`bot.domain.trail`). Appended, never deleted, and changed only by being reduced, once:
    triggers in the database refuse everything else."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_request", "request", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    request: Mapped[int | None]
    kind: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    #: Canonical JSON, as it was hashed.
    data: Mapped[str]
    #: Random, and part of ``personal``, so that nobody finds out by trying what was reduced.
    salt: Mapped[str] = mapped_column(server_default=text("''"))
    #: SHA-256 over actor, data and salt; stands for them when they are reduced.
    personal: Mapped[str] = mapped_column(server_default=text("''"))
    previous: Mapped[str]
    hash: Mapped[str]
    reduced_at: Mapped[datetime | None]


class ChainRow(Base):
    """The chain's head: one row, whose lock puts the writers of events in line."""

    __tablename__ = "chain"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    length: Mapped[int]
    hash: Mapped[str]


class PostRow(Base):
    """One message to Slack, recorded before it is sent. ``purpose`` is ``card``, or what it tells to whom."""

    __tablename__ = "posts"

    #: A request's number, or ``event:17`` for an event that concerns no single request.
    about: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    #: The purpose that the message's metadata names: its own, unless several are told in one message.
    told_with: Mapped[str]
    channel: Mapped[str]
    ts: Mapped[str]
    #: SHA-256 of what was last shown there.
    shown: Mapped[str]
    intended_at: Mapped[datetime]


class AgendaRow(Base):
    """What is due. A key has one claimed entry at a time; ``slot`` makes equal entries that nobody claimed one."""

    __tablename__ = "agenda"
    __table_args__ = (
        Index("ux_agenda_key", "key", unique=True, sqlite_where=text("owner IS NOT NULL"),
              postgresql_where=text("owner IS NOT NULL")),
        Index("ux_agenda_slot", "slot", unique=True, sqlite_where=text("owner IS NULL"),
              postgresql_where=text("owner IS NULL")),
        Index("ix_agenda_due", "due_at", "id"),
        Index("ix_agenda_request", "request"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]
    request: Mapped[int | None]
    slot: Mapped[str | None]
    due_at: Mapped[datetime]
    attempt: Mapped[int]
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int]


class SecretRow(Base):
    """One sealed secret of a request; the row goes when the request ends."""

    __tablename__ = "secrets"

    request: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    #: HMAC-SHA-256 under a key of the vault, for the digest that an approval is bound to.
    keyed_digest: Mapped[str]


class TokenRow(Base):
    """One PBX's shared access token, sealed, and whether we may log in at all."""

    __tablename__ = "tokens"

    pbx: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes | None]
    #: The configuration whose login was refused, and the sentence why.
    stopped_for: Mapped[str]
    stopped_why: Mapped[str]
    login_until: Mapped[datetime | None]
    login_owner: Mapped[str]


class BreakerRow(Base):
    """How a PBX answers of late. While it is open (``opened_at`` is set) nothing leaves but one probe at ``retry_at``."""

    __tablename__ = "breakers"

    pbx: Mapped[str] = mapped_column(primary_key=True)
    #: Calls in a row that went unanswered.
    failures: Mapped[int]
    #: When the first of them was made.
    since: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]


class ReplicaRow(Base):
    """One running bot, and the configuration that it works by."""

    __tablename__ = "replicas"

    owner: Mapped[str] = mapped_column(primary_key=True)
    #: SHA-256 over what must be the same everywhere; no secret goes into it.
    config_hash: Mapped[str]
    #: The last order to read the configuration anew that it has followed.
    reloaded: Mapped[int]
    seen_at: Mapped[datetime]


class MetaRow(Base):
    """Facts about the database itself, such as the vault's check value."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]
