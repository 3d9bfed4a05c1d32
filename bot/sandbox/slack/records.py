"""What the workspace remembers: conversations, messages, views, files, calls and deliveries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
Guest = Literal["", "multi-channel", "single-channel"]
Outcome = Literal["waiting", "acked", "late", "lost", "no bot", "refused by client"]


@dataclass
class Member:
    """A person of the workspace, or the app's bot user."""

    id: str
    name: str
    is_bot: bool = False
    notices: list[str] = field(default_factory=list)
    #: A guest: of several channels, or of one only.
    guest: Guest = ""
    #: Deactivated by an admin.
    deleted: bool = False
    #: The workspace that they come from, where it is another one (Slack Connect).
    team: str = ""


@dataclass
class Message:
    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json]
    bot_id: str | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    #: Only this person sees it, and it is not kept in the history (docs.slack.dev/reference/methods/chat.postEphemeral).
    viewer: str | None = None
    edited_ts: str | None = None
    #: ``tombstone`` for what stays of a deleted message that has replies.
    subtype: str | None = None
    #: What a person attached, in the shape of the Web API.
    files: list[Json] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Channel:
    id: str
    name: str
    members: set[str]
    private: bool = False
    #: The person on the other side, where this is the direct conversation with the bot.
    im_with: str | None = None
    messages: list[Message] = field(default_factory=list)

    def find(self, ts: str) -> Message | None:
        return next((m for m in self.messages if m.ts == ts), None)


@dataclass
class Group:
    """A user group (docs.slack.dev/reference/objects/usergroup-object)."""

    id: str
    handle: str
    members: list[str]


@dataclass
class View:
    """A modal or a home tab; `given` is the view as the app sent it, with generated ids filled in."""

    id: str
    user: str
    given: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    open: bool = True
    #: What stands in the fields, keyed by block id and action id, in the shape of ``state.values``.
    entered: dict[tuple[str, str], Json] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    #: What an external select offered last, by its key.
    suggested: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    #: A submission is on its way and its answer is awaited.
    submitting: bool = False

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.given.get("blocks", [])
        return blocks


@dataclass
class Trigger:
    id: str
    user: str
    issued: float
    #: The modal in which the person acted, if any; only such a trigger can push.
    view: str | None = None
    used: bool = False


@dataclass
class StoredFile:
    id: str
    name: str
    owner: str
    content: bytes
    created: int
    #: The app sees a file only once it was handed over in a submission.
    seen_by_app: bool = False
    deleted: bool = False


@dataclass
class ResponseUrl:
    """Where the app may answer one interaction, five times within 30 minutes (docs.slack.dev/interactivity)."""

    user: str
    channel: str
    issued: datetime
    #: The message that was clicked, or the last one made through this address.
    original: str | None = None
    uses: int = 0


@dataclass
class Call:
    """One Web API call, one POST to a response_url, or one file download. The token is not kept."""

    method: str
    args: Json
    started_at: float
    ended_at: float | None = None
    ok: bool | None = None
    error: str | None = None
    status: int | None = None
    #: The id of what the call made or changed: a message's ts or a view's id.
    effect: str | None = None


@dataclass
class Delivery:
    """One thing sent to the app over Socket Mode. Times are monotonic seconds."""

    type: str
    kind: str
    envelope_id: str
    user: str | None
    payload: Json
    sent: float
    acked: float | None = None
    ack: Json | None = None
    outcome: Outcome = "waiting"
    attempt: int = 0
    #: What was wrong with the app's answer, in a sentence, if anything was.
    problem: str | None = None
    done: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @property
    def ack_ms(self) -> float | None:
        return None if self.acked is None else (self.acked - self.sent) * 1000

    @property
    def settled(self) -> bool:
        return self.outcome != "waiting"
