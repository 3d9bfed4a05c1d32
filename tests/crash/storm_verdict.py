"""What must be so after the storm: nothing lost, nothing twice, nothing untrue. The simulators' logs are the witness."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.blocks.lines import LINES, line
from bot.domain.requests import Decision, Execution, Kind, Request, Shown
from bot.exceptions import ChainBroken
from bot.sandbox.slack import Delivery
from bot.store import audit, ledger
from bot.store.tables import RequestRow, VoteRow
from tests.crash.herd import Herd
from tests.crash.storm_world import StormWorld
from tests.crash.worlds import ledger_of, secrets_kept

_NAMED = re.compile(r"-r(\d+)\.\w+$")
_WORDS = {"check_again", "is_there", "is_not_there"}
Message = dict[str, Any]


class Verdict:
    """Reads everything once, when it is made."""

    def __init__(self, herd: Herd, world: StormWorld) -> None:
        self._world = world
        self.wrong: list[str] = []
        #: Clicks that were acknowledged and not taken, whose private "not taken" was itself lost in the storm.
        self.untold = 0
        channels = [world.certs, world.branch_channel]
        self._top = [message for channel in channels for message in world.slack.messages(channel)]
        with ledger_of(herd) as session:
            self.requests = [found for row in session.scalars(select(RequestRow)) if (found := ledger.load(session, row.id))]
            self.asked = [request for request in self.requests if request.expires_at is not None]
            self._creates = self._count_creates()
            self._judge(session)

    def _judge(self, session: Session) -> None:
        try:
            audit.verify(session)
        except ChainBroken as broken:
            self.wrong.append(broken.message)
        if kept := secrets_kept(session):
            self.wrong.append(f"{kept} secrets are kept")
        self.wrong += self._lost(session)
        self.wrong += self._twice()
        for request in self.asked:
            self.wrong += (f"#{request.id} {_state(request)}: {what}" for what in self._judge_request(session, request))

    # Nothing lost

    def _lost(self, session: Session) -> Iterator[str]:
        """What was acknowledged has its effect, or its person was told that it has none."""
        votes = set(session.scalars(select(VoteRow.delivery)))
        drafts = set(session.scalars(select(RequestRow.delivery)))
        asked = {request.id for request in self.asked}
        refused = Counter(user for user, words in self._told() if "not taken" in words.lower())
        for one in self._world.slack.deliveries:
            if one.outcome != "acked" or one.attempt:
                continue
            if _is_vote(one) and f"{one.kind}:{one.payload['trigger_id']}" not in votes:
                refused[one.user or ""] -= 1
                self.untold += refused[one.user or ""] < 0
            elif _became(one) == "checking" and f"{one.kind}:{one.payload['trigger_id']}" not in drafts:
                yield f"a submission of {one.user} is lost"
            elif _became(one) == "asked" and _shown(one) not in asked:
                yield f"the confirmation of #{_shown(one)} is lost"

    def _told(self) -> Iterator[tuple[str, str]]:
        for person in self._world.anybody():
            for place in (self._world.certs, self._world.branch_channel, person.im):
                for message in person.messages(place):
                    if message.get("is_ephemeral") or place is person.im:
                        yield person.id, self._world.slack.read(message)

    # Nothing twice

    def _twice(self) -> Iterator[str]:
        """No message's id stands anywhere a second time, and no effect was had a second time."""
        threads = [reply for card in self._top for reply in self._replies(card)]
        direct = [message for person in self._world.anybody() for message in person.dms()]
        told = Counter(event for message in (*self._top, *threads, *direct) for event in _events(message))
        yield from (f"{event} is told {times} times" for event, times in told.items() if times > 1)
        yield from (f"#{number} was created {times} times" for number, times in self._creates.items() if times > 1)

    def _count_creates(self) -> Counter[int]:
        """Effective ones, by request: its number is in an uploaded file's name, and each domain is asked for by one of them."""
        domains = {request.ask.domain: request.id for request in self.requests if request.ask.kind is Kind.APPLY}
        found: Counter[int] = Counter()
        for pbx in self._world.pbxs.values():
            for call in pbx.calls:
                if call.path == "certificate/create" and call.errcode == 0:
                    named = _NAMED.search(str(call.params.get("name", "")))
                    found[int(named[1]) if named else domains[str(call.params["issue_to"])]] += 1
        return found

    # Each request

    def _judge_request(self, session: Session, request: Request) -> Iterator[str]:
        yield from self._effect(request)
        if not request.has_ended and not request.awaits_word:
            yield "it has not ended and waits for nobody"
        cards = [message for message in self._top if f"{request.id}/card" in _events(message)]
        if len(cards) != 1:
            yield f"it has {len(cards)} cards"
            return
        yield from self._card(request, cards[0])
        events = [event for event in audit.events_of(session, request.id) if event.kind in LINES]
        due = [f"{request.id}/{event.id}" for event in events if line(event, request) is not None]
        told = [event for reply in self._replies(cards[0]) for event in _events(reply)]
        if told != due:
            yield f"the thread tells {told} and should tell {due}"

    def _effect(self, request: Request) -> Iterator[str]:
        """Done means that the PBX was changed, once; whatever nobody approved has changed nothing."""
        times = self._creates[request.id]
        if request.execution is Execution.DONE and times != 1:
            yield f"{times} certificates were made"
        if request.decision is not Decision.APPROVED and times:
            yield "it was not approved and was carried out"
        sentence = request.outcome.sentence if request.outcome else ""
        if request.execution is Execution.FAILED and times and "was refused" not in sentence:
            yield f"a certificate was made, and the thread says {sentence!r}"

    def _card(self, request: Request, card: Message) -> Iterator[str]:
        shown = self._world.slack.read(card)
        if f"*{_state(request)}*" not in shown:
            yield f"the card shows another state: {shown.splitlines()[1]}"
        buttons = {each["action_id"] for block in card["blocks"] for each in block.get("elements", []) if "action_id" in each}
        wanted = _WORDS if request.awaits_word else {"ask_anew"} if request.can_be_asked_anew else set()
        if buttons - {"details"} != wanted:
            yield f"the card has the buttons {sorted(buttons)}"

    def _replies(self, card: Message) -> list[Message]:
        return self._world.slack.messages(card["channel"], thread_ts=card["ts"])

    # In figures

    def summary(self) -> str:
        states = Counter(_state(request) for request in self.asked)
        told = ", ".join(f"{count} {state}" for state, count in states.most_common())
        return told + (f"; {self.untold} clicks were not taken, and the word of it was lost" if self.untold else "")


def _state(request: Request) -> str:
    return f"{request.decision}, {request.execution}" if request.execution else str(request.decision)


def _events(message: Message) -> list[str]:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return [each for each in (payload.get("event", ""), *str(payload.get("also", "")).split()) if each]


def _is_vote(one: Delivery) -> bool:
    return one.kind == "block_actions" and one.payload["actions"][0]["action_id"] == "approve"


def _became(one: Delivery) -> str:
    """The callback id of the view that a submission was answered with."""
    return str(((one.ack or {}).get("view") or {}).get("callback_id", "")) if one.kind == "view_submission" else ""


def _shown(one: Delivery) -> int:
    """The request's number in the metadata of the view that was submitted."""
    return Shown.load(one.payload["view"]["private_metadata"]).request
