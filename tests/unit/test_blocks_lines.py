"""The lines of a thread."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.lines import LINES, line, line_blocks
from bot.blocks.words import LAPSED
from bot.domain.events import Event, EventKind
from bot.domain.policy import may_take_part
from bot.domain.profile import Profile
from bot.domain.requests import Decision, Execution, Kind, ReceivedFile, Request, Shown
from bot.domain.rules import Seats
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_message, buttons

SILENT = {
    EventKind.DRAFTED, EventKind.CHECKED, EventKind.PENDING, EventKind.REFUSED, EventKind.WIPED, EventKind.PBX_SILENT,
    EventKind.PBX_ANSWERS, EventKind.RESTORED, EventKind.DIGEST, EventKind.CALLING, EventKind.CALLED,
    EventKind.CONFIG_LOADED, EventKind.CONFIG_REFUSED, EventKind.CONFIG_DIFFERS, EventKind.POLICY_TROUBLE, EventKind.WITNESSED,
    EventKind.REDUCED, EventKind.RECHAINED,
}  # fmt: skip
APPROVED = samples.request(decision=Decision.APPROVED, execution=Execution.APPLYING, votes=(samples.vote(),))


def event(kind: EventKind, actor: str = "bot", **data: Any) -> Event:
    return Event(1, 42, kind, actor, samples.NOW, data)


def told(kind: EventKind, request: Request = APPROVED, actor: str = "bot", **data: Any) -> str:
    text = line(event(kind, actor, **data), request)
    assert text is not None
    return text


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=1500)
_NAMES = (
    "reason", "name", "domain", "sentence", "code", "apply_tip_code", "id", "type", "issue_to", "expires", "used", "slots",
    "have", "need", "pbx", "found",
)  # fmt: skip
_SEATS = st.lists(st.builds(Seats, samples.APPROVERS, st.integers(1, 5)).map(Seats.to_json), max_size=12)
_DATA = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(_NAMES, _VALUES)
    | {"verdict": st.sampled_from(["approve", "reject"]), "seconds": st.floats(0, 1e7), "number": st.integers(1, 99)}
    | {"start": samples.TIMES.map(datetime.isoformat), "why": st.sampled_from(["asked", "window"]) | _VALUES}
    | {"wanted": samples.APPROVERS.map(list), "to": samples.APPROVERS.map(list), "missing": _SEATS}
    | {"one_of": st.lists(_SEATS, max_size=2)},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EventKind), samples.requests(), _DATA, samples.APPROVERS)
def test_any_line_fits(kind: EventKind, request: Request, data: dict[str, Any], approvers: tuple[str, ...]) -> None:
    """Whatever an event says, Slack takes its line, and no tag but ours is in it."""
    text = line(event(kind, "U0ACTOR", **data), request, approvers)
    blocks = line_blocks(event(kind, "U0ACTOR", **data), request, approvers)
    assert (text is None) == (blocks is None)
    if text is not None and blocks is not None:
        accept_message(blocks, text)
        assert not re.search(r"<(?!@[UW]|!date\^|!subteam\^S|https://)[^>]*>", text)


def test_every_event_is_thought_of() -> None:
    """Each kind of event has a line, or is silent on purpose."""
    assert set(LINES) | SILENT == set(EventKind)
    assert not set(LINES) & SILENT


@pytest.mark.parametrize("kind", sorted(SILENT))
def test_silent_events(kind: EventKind) -> None:
    """Drafts, checks, refused clicks and wiped secrets stay out of the thread."""
    assert line(event(kind), APPROVED) is None
    assert line_blocks(event(kind), APPROVED) is None


def test_votes_are_counted() -> None:
    """An approval says who and how many are needed; a rejection is told by its own event."""
    assert told(EventKind.VOTED, actor="U0LEAD", verdict="approve", have=1, need=2) == (
        "👍 <@U0LEAD> approved it: 1 of 2 approvals."
    )
    assert line(event(EventKind.VOTED, "U0LEAD", verdict="reject"), APPROVED) is None


def test_why_an_approval_lapsed() -> None:
    """Whatever its person became has words of its own; an event of before says that the policy names them no more."""
    begins = "✋ <@U1>'s approval counts no longer: "
    assert told(EventKind.LAPSED, user="U1", rule="policy[0]") == f"{begins}{LAPSED['not_named']} (`policy[0]`)."
    for became in ({"is_deactivated": True}, {"is_guest": True}, {"is_bot": True}, {"is_ours": False}):
        verdict = may_take_part(Profile("U1", "T1", **became), ())
        said = told(EventKind.LAPSED, user="U1", code=verdict.code, rule=verdict.rule)
        assert said == f"{begins}{LAPSED[verdict.code]} (`slack.outsiders`)."


def test_what_is_still_wanted_after_a_vote() -> None:
    """With several groups left, the line names them, and says of which one is enough."""
    leads, security, head = ({"subjects": [who], "count": 1} for who in ("S0LEADS", "S0SEC", "U0HEAD"))
    how: dict[str, Any] = {"verdict": "approve", "have": 1, "need": 3}
    assert "Still wanted" not in told(EventKind.VOTED, **how, missing=[security], one_of=[])
    said = told(EventKind.VOTED, **how, missing=[security], one_of=[[leads, head]])
    assert said.endswith("Still wanted: 1 of <!subteam^S0SEC>, and either 1 of <!subteam^S0LEADS>, or 1 of <@U0HEAD>.")


def test_a_rejection_says_who_and_why() -> None:
    """The requester is mentioned and every line of the reason is quoted."""
    text = told(EventKind.REJECTED, actor="U0LEAD", reason="Wrong root\n✅ *done*")
    assert text == "🚫 *rejected* by <@U0LEAD>; nothing was done. <@U0ANNA>, the reason:\n> Wrong root\n> ✅ *done*"


@pytest.mark.parametrize("kind", [EventKind.REJECTED, EventKind.WITHDRAWN, EventKind.EXPIRED])
def test_ends_without_effect_mention_the_requester(kind: EventKind) -> None:
    """Whoever asked is told that nothing was done."""
    text = told(kind)
    assert "<@U0ANNA>" in text
    assert "nothing was done" in text


@pytest.mark.parametrize("kind", [EventKind.DONE, EventKind.FAILED, EventKind.PERSON_WANTED])
def test_ends_mention_requester_and_approvers(kind: EventKind) -> None:
    """Those who asked and those who voted for it are told how it ended, each once."""
    text = told(kind, replace(APPROVED, votes=(samples.vote(), samples.vote("U0TWO"))), sentence="So.")
    assert text.count("<@U0ANNA>") == text.count("<@U0LEAD>") == text.count("<@U0TWO>") == 1


def test_done_says_what_is_listed_and_no_more() -> None:
    """Installed means listed: the line says so, with what the PBX lists and how long it took."""
    data: dict[str, Any] = {
        "id": 7,
        "name": "corp-root-r42.crt",
        "type": "trusted",
        "issue_to": "Corp",
        "expires": "2030/01/01",
    }
    text = told(EventKind.DONE, **data, seconds=75.2)
    assert "`hq` now lists `corp-root-r42.crt` (id 7, type trusted, issued to `Corp`, expires 2030/01/01)" in text
    assert "Which certificate the web server uses is not changed by this." in text
    assert "It took 1 min 15 s from the approval." in text


@pytest.mark.parametrize("kind", [EventKind.DONE, EventKind.FAILED, EventKind.PERSON_WANTED])
def test_key_files_are_to_be_deleted(kind: EventKind) -> None:
    """A file that held a private key is named at the end, with its link, for the person to delete."""
    key = ReceivedFile("F2", "pbx.key", 1700, "https://x.slack.com/files/U1/F2/pbx.key")
    public = ReceivedFile("F1", "pbx.crt", 1700, "https://x.slack.com/files/U1/F1/pbx.crt")
    asked = samples.ask(Kind.IMPORT, files=(public, key))
    request = samples.request(of=asked, known=samples.evidence(Kind.IMPORT, key_files=("pbx.key",)))
    text = told(kind, request, sentence="So.")
    assert "please delete <https://x.slack.com/files/U1/F2/pbx.key|pbx.key> from Slack now" in text
    assert "pbx.crt" not in text


def test_a_failure_has_its_code_once() -> None:
    """The code stands in brackets at the end, unless the sentence has it already."""
    text = told(EventKind.FAILED, sentence="hq is full. [60002 MAX]", code="60002 MAX")
    assert text.count("60002") == 1
    text = told(EventKind.FAILED, sentence="The PBX gave up.", code="issuance_fail", apply_tip_code=3)
    assert "The PBX gave up. [issuance_fail, apply_tip_code 3]" in text


def test_stopped_logins_can_be_tried_again() -> None:
    """The line explains why the bot stopped and carries the button for an operator."""
    blocks = line_blocks(event(EventKind.LOGIN_STOPPED, sentence="hq refused our login."), APPROVED, ["S0OPS"])
    assert blocks is not None
    assert buttons(blocks) == ["try_again"]
    assert Shown.load(blocks[1]["elements"][0]["value"]) == Shown.of(APPROVED)
    assert "<!subteam^S0OPS>" in blocks[0]["text"]["text"]
    ended = replace(APPROVED, execution=Execution.FAILED)
    assert buttons(line_blocks(event(EventKind.LOGIN_STOPPED), ended) or []) == []


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (EventKind.APPROVED, {"by": ["U0LEAD"]}, "*approved*"),
        (EventKind.APPLYING, {}, "the bot has begun on `hq`"),
        (EventKind.LOOKED, {"used": 2, "slots": 20, "type": "trusted"}, "2 of 20 trusted slots are used"),
        (EventKind.UPLOADED, {"name": "a.crt"}, "Uploaded as `a.crt`"),
        (EventKind.CREATED, {"name": "a.crt", "apply_status": "issuance_success"}, "took `a.crt`"),
        (EventKind.ISSUING, {"domain": "pbx.example.com"}, "applying for `pbx.example.com`"),
        (EventKind.ISSUED, {"domain": "pbx.example.com", "seconds": 61}, "was issued after 1 min 1 s"),
        (EventKind.RETRYING, {"sentence": "hq cannot be reached. [unreachable]"}, "cannot be reached. [unreachable] The bot"),
        (EventKind.ANSWERING, {}, "`hq` answers again"),
        (EventKind.SETTLED, {"name": "a.crt", "found": True}, "it had arrived"),
        (EventKind.SETTLED, {"name": "a.crt", "found": False}, "it had not arrived"),
        (EventKind.LOGIN_RESUMED, {"pbx": "hq"}, "lets the bot log in to `hq` again"),
    ],
)
def test_steps(kind: EventKind, data: dict[str, Any], expected: str) -> None:
    """Each step is told in words, with what it was about."""
    assert expected in told(kind, **data)


def test_an_application_is_not_called_an_upload() -> None:
    """For an applied certificate the PBX takes an application."""
    assert "took the application" in told(EventKind.CREATED, samples.request(Kind.APPLY), name="pbx.example.com.pem")


@pytest.mark.parametrize(
    ("why", "told_why"),
    [
        ("asked", "as was asked for, the bot begins on `hq` <!date^"),
        ("window", "no maintenance window of `hq` is open, so the"),
    ],
)
def test_scheduled(why: str, told_why: str) -> None:
    """What is approved and begins later says when, why, and that it can be withdrawn until then; nothing happens "now"."""
    queued = replace(APPROVED, execution=Execution.QUEUED, starts_at=samples.NOW)
    text = told(EventKind.SCHEDULED, queued, start=samples.NOW.isoformat(), why=why)
    assert told_why in text
    assert f"<!date^{int(samples.NOW.timestamp())}^" in text
    assert "Until then <@U0ANNA> can withdraw it." in text
    assert "now" not in told(EventKind.APPROVED, queued)
    assert "The bot will now do it" in told(EventKind.APPROVED)


MISSING = [Seats(("U0LEAD", "U0BOSS")).to_json(), Seats(("S0SEC",), 2).to_json()]
WANTED = ["U0LEAD", "S0SEC"]
SINCE = "since <!date^1772366400^{date_short_pretty} {time}|2026-03-01 12:00 UTC>"
UNTIL = "until <!date^1772395200^{date_short_pretty} {time}|2026-03-01 20:00 UTC>"


def test_a_reminder() -> None:
    """Since when, until when, and who is still wanted; of these, nobody is mentioned who is not to be."""
    text = told(EventKind.REMINDED, samples.request(), wanted=WANTED, missing=MISSING, number=1)
    assert text == (
        f"⏰ *Reminder*: this still waits for its approval, {SINCE} and {UNTIL}."
        " Still wanted: 1 of <@U0LEAD>, and 2 of <!subteam^S0SEC>."
    )
    assert told(EventKind.REMINDED, wanted=[], missing=MISSING, number=3).startswith("⏰ *Reminder 3*: this still waits")
    assert "1 of those who are not pinged, and 2 of those" in told(EventKind.REMINDED, wanted=[], missing=MISSING, number=3)


def test_an_escalation() -> None:
    """Those whom it is escalated to read what waits, of whom, since when, and who is still wanted."""
    text = told(EventKind.ESCALATED, samples.request(), to=["U0HEAD", "S0HEADS"], wanted=WANTED, missing=MISSING)
    assert text == (
        "📣 <@U0HEAD>, <!subteam^S0HEADS>, nobody has decided this yet: *#42 Trusted CA certificate for hq*, asked for by"
        f" <@U0ANNA>, {SINCE} and {UNTIL}. Still wanted: 1 of <@U0LEAD>, and 2 of <!subteam^S0SEC>."
    )


def test_an_expiry_is_told_to_everybody_involved() -> None:
    """The requester, who voted, who was still wanted and whom it was escalated to are mentioned, each once for that."""
    request = samples.request(decision=Decision.EXPIRED, votes=(samples.vote("U0ONE"),))
    text = told(EventKind.EXPIRED, request, wanted=WANTED, missing=MISSING, to=["U0HEAD", "U0ONE", "U0ANNA"])
    assert text == (
        "⌛ *expired*: nobody decided in time, so nothing was done. It lacked 1 of <@U0LEAD>, and 2 of <!subteam^S0SEC>."
        " <@U0ANNA>, if it is still needed, please ask again with `/pbx-cert`."
        " <@U0ONE>, <@U0LEAD>, <!subteam^S0SEC>, <@U0HEAD>: nothing is left to be done about it."
    )
