"""What people see of an emergency."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks import dialogs, emergencies, lines
from bot.blocks.card import card
from bot.blocks.fields import FormContext
from bot.blocks.form import FormState, form
from bot.blocks.reading import read_emergency_pbx, read_state
from bot.blocks.replies import status
from bot.domain.events import Event, EventKind
from bot.domain.plan import Evidence
from bot.domain.requests import Decision, Execution, Request, Shown
from bot.domain.rules import Emergency
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_message, accept_view, buttons, texts
from tests.unit.form_payloads import inputs, payload, typed

SLOW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RULE = samples.rule(emergency=Emergency(("U0ANNA",), timedelta(hours=24)))
OFFERED = FormContext(emergency=True, pbx_matters=True)
KINDS = (EventKind.EMERGENCY, EventKind.UNCONFIRMED, EventKind.CONFIRMED, EventKind.OBJECTED)


def urgent(*looks: tuple[str, str, str], **changes: Any) -> Request:
    """Done as an emergency; ``looks`` are who said what afterwards, and why."""
    votes = tuple(samples.vote(*look) for look in looks)
    values: dict[str, Any] = {
        "decision": Decision.APPROVED,
        "execution": Execution.DONE,
        "decided_at": samples.NOW,
        "rule": RULE,
    }
    return samples.request(of=samples.ask(emergency=True), votes=votes, **{**values, **changes})


def event(kind: EventKind, actor: str = "U0LEAD", **data: Any) -> Event:
    return Event(9, 42, kind, actor, samples.NOW, data)


def words_of(request: Request) -> str:
    return "\n".join(texts(card(request)[0]))


@SLOW
@given(samples.requests(), samples.EVIDENCE, st.sampled_from(KINDS), st.text(max_size=4000), samples.APPROVERS)
def test_anything_fits(request: Request, evidence: Evidence, kind: EventKind, text: str, to: tuple[str, ...]) -> None:
    """Slack takes each view and message of any request."""
    accept_view(emergencies.declared(request))
    accept_view(dialogs.confirm(request, evidence))
    for callback in emergencies.LOOKS:
        accept_view(emergencies.question(request, callback, Shown.of(request).dump()))
    told = event(kind, reason=text, comment=text, rule=text, to=list(to), confirm_by=samples.NOW.isoformat(), number=3)
    accept_message(lines.line_blocks(told, request) or [], lines.line(told, request) or "")
    accept_message(*emergencies.message(told, request, "https://x.slack.com/archives/C1/p1"))
    accept_message(*emergencies.objection(told, request, "", instead_of="C02OPS"))


def test_the_card_says_that_nobody_has_confirmed_it() -> None:
    """Header, state and buttons tell of it, also when it is done."""
    request = urgent()
    blocks, text = card(request)
    assert blocks[0]["text"]["text"].startswith("🚨 EMERGENCY #42")
    assert text.startswith("🚨 EMERGENCY #42")
    told = words_of(request)
    assert "*Nobody has confirmed this emergency yet.* A second person has to look at it until <!date^1772452800^" in told
    assert buttons(blocks)[:2] == ["confirm_afterwards", "object_afterwards"]


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (("U0LEAD", "confirm", "Seen"), "✅ <@U0LEAD> confirmed it afterwards, "),
        (("U0LEAD", "object", "It could wait"), "⛔ <@U0LEAD> looked at it afterwards and objects, "),
    ],
)
def test_the_card_says_what_a_second_person_said(look: tuple[str, str, str], expected: str) -> None:
    """It stands there with the reason, and there is nothing to press any more; `status` and the details tell it, too."""
    request = urgent(look)
    told = words_of(request)
    assert expected in told
    assert f"> {look[2]}" in told
    assert buttons(card(request)[0]) == ["details"]
    assert expected in status(request, [])


@pytest.mark.parametrize("decision", [Decision.DRAFT, Decision.PENDING, Decision.WITHDRAWN])
def test_what_was_not_done_is_none(decision: Decision) -> None:
    """A draft is none yet, and one that was withdrawn before it began changed nothing."""
    request = urgent(decision=decision, execution=None)
    assert "EMERGENCY" not in words_of(request)
    assert not {"confirm_afterwards", "object_afterwards"} & set(buttons(card(request)[0]))


def test_the_lines() -> None:
    """Each event is told in words; those that ask for something mention people and have the buttons."""
    data = {
        "reason": "Phones are down",
        "rule": "policy[0]",
        "confirm_by": samples.NOW.isoformat(),
        "to": ["S0LEADS", "U0BOSS"],
    }
    told = lines.line(event(EventKind.EMERGENCY, "U0ANNA", **data), urgent()) or ""
    for expected in ("*EMERGENCY*: <@U0ANNA> lets this be done on `hq`", "`policy[0]` allows", "> Phones are down",
                     "<!subteam^S0LEADS>, <@U0BOSS>, please look at it"):  # fmt: skip
        assert expected in told
    raised = event(EventKind.UNCONFIRMED, "bot", number=11, **data)
    assert "This is told for the 11th time." in (lines.line(raised, urgent()) or "")
    for kind in (EventKind.EMERGENCY, EventKind.UNCONFIRMED):
        asked = event(kind, "U0ANNA", **data)
        assert buttons(lines.line_blocks(asked, urgent()) or []) == ["confirm_afterwards", "object_afterwards"]
        assert buttons(lines.line_blocks(asked, urgent(("U0LEAD", "confirm", ""))) or []) == []
    approved = event(EventKind.APPROVED, "bot", by=[], emergency=True)
    assert "as an emergency, without the approvals" in (lines.line(approved, urgent()) or "")


def test_the_confirmation_says_what_will_happen() -> None:
    """Plainly: at once, everybody is told, a second person has to look; and the button says so."""
    draft = urgent(decision=Decision.DRAFT, execution=None, decided_at=None)
    view = dialogs.confirm(draft, samples.evidence())
    told = "\n".join(texts(view))
    for expected in (
        "this starts at once",
        "Everybody whom the policy names is told now",
        "within 1 d",
        "What the bot will do at once",
    ):
        assert expected in told
    assert view["submit"]["text"] == "Do it at once"
    assert "It takes the approval" not in told


# The form


@pytest.mark.parametrize(
    ("ticked", "context", "names"),
    [
        (False, FormContext(), ["pbx", "kind", "files", "reason", "start"]),
        (True, FormContext(), ["pbx", "kind", "files", "reason", "start"]),
        (False, OFFERED, ["pbx", "kind", "files", "reason", "start", "emergency"]),
        (True, OFFERED, ["pbx", "kind", "files", "reason", "emergency", "emergency_pbx"]),
    ],
)
def test_the_box_is_for_who_may(ticked: bool, context: FormContext, names: list[str]) -> None:
    """It is there for whom it is offered to; once it is ticked there is something to type, and no later start to choose."""
    view = form(FormState(samples.ask(emergency=ticked)), context)
    assert list(inputs(view)) == names
    assert inputs(view)["pbx"]["dispatch_action"] is context.pbx_matters
    assert read_state({**view, "state": {"values": {}}}).ask.emergency is (ticked and context.emergency)


def test_what_waits_for_its_approval_does_not_become_one() -> None:
    """The form that changes a request does not offer it."""
    view = form(FormState(samples.ask(), edits=42, edits_version=1), OFFERED)
    assert "emergency" not in inputs(view)


def test_what_was_typed_is_read_and_not_kept() -> None:
    """The name comes out of the payload, and neither the metadata nor the next form has it."""
    view = form(FormState(samples.ask(emergency=True)), OFFERED)
    sent = payload(view, emergency_pbx=typed(" HQ "))
    assert read_emergency_pbx(sent) == "HQ"
    again = form(read_state(sent), OFFERED)
    assert "HQ" not in again["private_metadata"]
    assert "initial_value" not in inputs(again)["emergency_pbx"]["element"]
    assert read_emergency_pbx(payload(view)) == ""
