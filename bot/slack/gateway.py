"""Everything that goes out to Slack, one method for each thing the bot does there.

Nothing is sent twice here and nothing waits here: a spent budget or a 429 is raised as SlackRateLimited with the seconds to
wait, and the agenda comes back then. A message bears the ids of its events in its metadata, and nothing else, since other apps
of the workspace can read it; by one of them `Gateway.find` tells whether a message whose fate is unknown has arrived.

Every method raises SlackUnreachable (nothing happened), SlackFateUnknown (it may have), SlackRateLimited or SlackRefused.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.profile import Profile
from bot.exceptions import SlackFateUnknown, SlackRateLimited
from bot.slack import files, response_url
from bot.slack.budget import Budget
from bot.slack.errors import guarded
from bot.slack.files import FileInfo
from bot.slack.transport import Client, leaving_only_while

Blocks = Sequence[Mapping[str, Any]]

#: The ``event_type`` of our messages' metadata.
EVENT_TYPE = "pbx_cert_bot"
#: How far our clock may be ahead of Slack's, whose time a message's ts is.
CLOCK_SKEW = timedelta(minutes=5)
#: "We recommend no more than 200 results at a time" (docs.slack.dev/apis/web-api/pagination).
PAGE = 200
#: Slack's own, which is a bot and does not say so in users.info.
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True)
class Posted:
    """Where a message is; ``thread_ts`` is empty for one that stands in the channel itself."""

    channel: str
    ts: str
    thread_ts: str = ""


@dataclass(frozen=True)
class Identity:
    """Who the token makes us."""

    user: str
    bot: str
    team: str


class Gateway:
    """Thread-safe. ``timeout`` is in seconds, for connecting and for every read; ``now`` gives aware datetimes."""

    def __init__(
        self,
        token: str,
        api_url: str,
        *,
        now: Callable[[], datetime],
        timeout: int = 10,
        budget: Budget | None = None,
    ) -> None:
        self._client = Client(token, api_url, timeout)
        self._token = token
        self._api_url = api_url
        self._now = now
        self._timeout = timeout
        self._budget = Budget() if budget is None else budget
        self._lock = threading.Lock()
        self._direct: dict[str, str] = {}
        self._identity: Identity | None = None

    # Messages

    def post(
        self,
        channel: str,
        *,
        blocks: Blocks,
        text: str,
        thread_ts: str | None = None,
        event: str | None = None,
        also: Sequence[str] = (),
        not_after: datetime | None = None,
    ) -> Posted:
        """A new message. ``channel`` may be a user's id; the answer then names the direct message's channel.

        ``also`` are the ids of further events that it tells of. After ``not_after`` it stays here (SlackUnreachable): whoever
        did not get so far by then was asleep, and somebody else may have said it. If the thread's first message is gone, Slack
        puts the new one into the channel itself, and the answer says so.
        """
        message = {**_message(blocks, text, event, also), "thread_ts": thread_ts, "unfurl_links": False, "unfurl_media": False}
        args = {"channel": channel, **message}
        answer = self._write("chat.postMessage", args, channel, who=event or "", not_after=not_after)
        landed = (answer.get("message") or {}).get("thread_ts") or ""
        return Posted(_text(answer, "channel"), _text(answer, "ts"), landed)

    def update(
        self,
        channel: str,
        ts: str,
        *,
        blocks: Blocks,
        text: str,
        event: str | None = None,
        not_after: datetime | None = None,
    ) -> None:
        """Without an event's id, a message keeps the one that it has. ``not_after`` as with `post`."""
        args = {"channel": channel, "ts": ts, **_message(blocks, text, event)}
        self._write("chat.update", args, channel, who=ts, not_after=not_after)

    def delete(self, channel: str, ts: str) -> None:
        """One of our own messages."""
        self._write("chat.delete", {"channel": channel, "ts": ts}, channel, who=ts)

    def ephemeral(self, channel: str, user: str, *, blocks: Blocks, text: str, thread_ts: str | None = None) -> None:
        """Only for one member of a channel, and not kept by Slack: it is gone when they reload."""
        message = {"channel": channel, "user": user, "thread_ts": thread_ts, **_message(blocks, text, None)}
        self._write("chat.postEphemeral", message, channel)

    def direct(self, user: str, *, blocks: Blocks, text: str, event: str | None = None) -> Posted:
        return self.post(self.direct_channel(user), blocks=blocks, text=text, event=event)

    def direct_channel(self, user: str) -> str:
        """The channel of direct messages with a user, so that its history can be searched if posting breaks off."""
        with self._lock:
            known = self._direct.get(user)
        if known:
            return known
        channel = _text(self._write("conversations.open", {"users": user}), "channel", "id")
        with self._lock:
            self._direct[user] = channel
        return channel

    def respond(self, url: str, *, text: str, blocks: Blocks | None = None, replace_original: bool = False) -> None:
        """Answer a command or click privately, up to five times within half an hour; raises SlackRefused("foreign_url") too."""
        answer = {"text": text, "blocks": blocks, "response_type": "ephemeral", "replace_original": replace_original}
        response_url.send(url, _given(answer), api_url=self._api_url, timeout=self._timeout, now=self._now())

    # Views

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> str:
        """Returns the view's id."""
        return _text(self._write("views.open", {"trigger_id": trigger_id, "view": view}), "view", "id")

    def push_view(self, trigger_id: str, view: Mapping[str, Any]) -> str:
        """Returns the view's id."""
        return _text(self._write("views.push", {"trigger_id": trigger_id, "view": view}), "view", "id")

    def update_view(self, view_id: str, view: Mapping[str, Any], hash: str | None = None) -> str:  # noqa: A002 - Slack's word
        """Returns the new hash. Raises SlackRefused("not_found") when it was closed, and "hash_conflict" for an old hash."""
        return _text(self._write("views.update", {"view_id": view_id, "view": view, "hash": hash}), "view", "hash")

    def publish_home(self, user: str, view: Mapping[str, Any], hash: str | None = None) -> str:  # noqa: A002
        """Show a person their home tab; returns its hash. Raises SlackRefused("hash_conflict") when another one was published
        since that hash, and "not_enabled" where the app has no home tab."""
        return _text(self._write("views.publish", {"user_id": user, "view": view, "hash": hash}), "view", "hash")

    # Looking

    def permalink(self, channel: str, ts: str) -> str:
        return _text(self._read("chat.getPermalink", {"channel": channel, "message_ts": ts}), "permalink")

    def channel_members_include(self, channel: str, user: str) -> bool:
        pages = self._pages("conversations.members", {"channel": channel}, "members")
        return any(user in members for members in pages)

    def message(self, channel: str, ts: str) -> Mapping[str, Any] | None:
        """One message of the channel itself as Slack shows it now; None if it was deleted.

        A deleted message that has replies leaves a tombstone in its place.
        """
        where = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True, "limit": 1}
        found = self._read("conversations.history", where).get("messages") or []
        return next((one for one in found if one.get("ts") == ts and one.get("subtype") != "tombstone"), None)

    def find(self, channel: str, event: str, *, thread_ts: str | None = None, oldest: datetime) -> str | None:
        """The ts of our own message that tells of that event, posted since ``oldest``, in the channel or in one of its threads.

        None, asked within a minute of the attempt, is no proof: the message may still be on its way.
        """
        me = self._identity or self.identity()
        where = {"channel": channel, "ts": thread_ts, "oldest": _ts(oldest - CLOCK_SKEW), "include_all_metadata": True}
        method = "conversations.replies" if thread_ts else "conversations.history"
        for messages in self._pages(method, {**where, "inclusive": True}, "messages", who=event):
            for message in messages:
                if _is_by(me, message) and event in _events_of(message):
                    return _text(message, "ts")
        return None

    def group_members(self, group: str) -> frozenset[str]:
        return frozenset(self._read("usergroups.users.list", {"usergroup": group}).get("users") or ())

    def profile(self, user: str) -> Profile:
        """What somebody is (docs.slack.dev/reference/objects/user-object). In an organisation they may be in several teams."""
        me = self._identity or self.identity()
        found: Mapping[str, Any] = self._read("users.info", {"user": user}).get("user") or {}
        teams = (found.get("enterprise_user") or {}).get("teams") or ()
        team = str(found.get("team_id") or "")
        return Profile(
            user=user,
            team=team,
            is_ours=(team == me.team or me.team in teams) and not found.get("is_stranger"),
            is_guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
            is_bot=bool(found.get("is_bot")) or user == SLACKBOT,
            is_deactivated=bool(found.get("deleted")),
        )

    def file(self, file_id: str) -> FileInfo:
        found: Mapping[str, Any] = self._read("files.info", {"file": file_id}).get("file") or {}
        return FileInfo(
            id=file_id,
            name=found.get("name") or found.get("title") or file_id,
            size=int(found.get("size") or 0),
            user=found.get("user") or "",
            permalink=found.get("permalink") or "",
            url=found.get("url_private_download") or found.get("url_private") or "",
        )

    def download(self, info: FileInfo, max_bytes: int) -> bytes:
        """A file's content; raises FileUnavailable too (see `bot.slack.files.fetch`)."""
        return files.fetch(info, self._token, self._api_url, max_bytes, read=self._timeout)

    def identity(self) -> Identity:
        answer = self._read("auth.test", {})
        self._identity = Identity(_text(answer, "user_id"), answer.get("bot_id") or "", answer.get("team_id") or "")
        return self._identity

    # Calling

    def _write(
        self, method: str, args: Mapping[str, Any], channel: str = "", *, who: str = "", not_after: datetime | None = None
    ) -> dict[str, Any]:
        with leaving_only_while(None if not_after is None else lambda: self._now() <= not_after):
            return self._call(method, channel, who, json=_given(args))

    def _read(self, method: str, args: Mapping[str, Any], *, who: str = "", begun: bool = False) -> dict[str, Any]:
        """Slack's reading methods take a form and no JSON (docs.slack.dev/apis/web-api)."""
        return self._call(method, "", who, begun, params=_given(args))

    def _call(self, method: str, channel: str, who: str, begun: bool = False, **body: Any) -> dict[str, Any]:
        """``who`` keeps its turn until it comes back; the same call has to say the same then (see `bot.slack.budget`)."""
        wait = self._budget.reserve(method, channel, who, begun=begun)
        if wait > 0:
            raise SlackRateLimited(wait)
        try:
            return guarded(lambda: dict(self._client.api_call(method, **body).data), self._now())  # type: ignore[arg-type]
        except SlackRateLimited as error:
            self._budget.exhausted(method, channel, error.retry_after)
            raise

    def _pages(self, method: str, args: Mapping[str, Any], key: str, *, who: str = "") -> Iterator[list[Any]]:
        """Whoever had the first page gets the others at once, or two long searches would keep each other from ending."""
        cursor: str | None = None
        while True:
            page = {**args, "limit": PAGE, "cursor": cursor}
            answer = self._read(method, page, who=who, begun=cursor is not None)
            yield answer.get(key) or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


def _message(blocks: Blocks, text: str, event: str | None, also: Sequence[str] = ()) -> dict[str, Any]:
    payload = {"event": event, **({"also": " ".join(also)} if also else {})}
    metadata = {"event_type": EVENT_TYPE, "event_payload": payload} if event else None
    return _given({"blocks": blocks, "text": text, "metadata": metadata})


def _given(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in args.items() if value is not None}


def _text(answer: Mapping[str, Any], *path: str) -> str:
    """A text that Slack's answer must have; without it nobody knows what was done."""
    value: Any = answer
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not value:
        raise SlackFateUnknown(f"Slack's answer lacks {'.'.join(path)}; whether it did what was asked is not known.")
    return value


def _ts(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone is not a moment")
    return f"{moment.timestamp():.6f}"


def _is_by(me: Identity, message: Mapping[str, Any]) -> bool:
    return message.get("user") == me.user or bool(me.bot and message.get("bot_id") == me.bot)


def _events_of(message: Mapping[str, Any]) -> list[str]:
    """The ids of the events that it tells of."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return []
    payload = metadata.get("event_payload") or {}
    return [str(payload.get("event")), *str(payload.get("also") or "").split()]
