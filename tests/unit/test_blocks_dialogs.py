"""The views and messages between the form and the card."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks import dialogs
from bot.domain.plan import Evidence
from bot.domain.problems import Problem
from bot.domain.requests import Ask, Kind, Request, Shown
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_message, accept_view, buttons, texts

SLOW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(samples.requests(), samples.EVIDENCE, st.text(max_size=4000))
def test_any_dialog_fits(request: Request, evidence: Evidence, text: str) -> None:
    """Slack takes each view and message for any request."""
    accept_view(dialogs.checking(request.ask, request.id, request.version))
    accept_view(dialogs.confirm(request, evidence))
    accept_view(dialogs.asked(request, f"https://x.slack.com/{text}"))
    accept_view(dialogs.reject_reason(request))
    accept_view(dialogs.approval_comment(request, "{}"))
    accept_view(dialogs.notice(text, text))
    accept_message(*dialogs.result_message(request, evidence))
    accept_message(*dialogs.result_message(request, [Problem("files", text, "code")] * 20))
    accept_message(*dialogs.draft_closed(request, text))


def test_checking_names_what_is_checked() -> None:
    """The view names the file and the PBX, carries the draft, and has a button for when it hangs."""
    view = dialogs.checking(samples.ask(), 7, 2)
    assert "Checking `corp-root.crt` for `hq`" in "\n".join(texts(view))
    assert json.loads(view["private_metadata"]) == {"draft": 7, "version": 2}
    assert buttons(view["blocks"]) == ["show_result"]
    assert "submit" not in view
    assert "Checking `pbx.example.com`" in "\n".join(texts(dialogs.checking(samples.ask(Kind.APPLY), 7, 2)))


def test_confirm_shows_what_approvers_will_see() -> None:
    """Evidence, plan, channel and approvers are shown before anything is asked for."""
    view = dialogs.confirm(samples.request(rule=samples.rule("S0LEADS", needed=2)), samples.evidence())
    told = "\n".join(texts(view))
    for expected in (
        "*SHA-256*: `AB:CD:EF`",
        "1. `GET certificate/list`",
        "everybody in <#C02HQ>",
        "It takes the approval of 2 of <!subteam^S0LEADS>; your own does not count",
    ):
        assert expected in told
    assert view["submit"]["text"] == "Ask for approval"
    assert Shown.load(view["private_metadata"]) == Shown(42, 3, "d" * 64)
    assert buttons(view["blocks"]) == ["change"]


def test_asked_links_the_card() -> None:
    """The last view links the card, or says that it is on its way."""
    assert "<https://x.slack.com/p1|See the card> in <#C02HQ>" in "\n".join(
        texts(dialogs.asked(samples.request(), "https://x.slack.com/p1"))
    )
    assert "on its way to <#C02HQ>" in "\n".join(texts(dialogs.asked(samples.request())))


def test_results_lead_on() -> None:
    """A result by direct message says what was found and offers Continue and Discard."""
    good, _ = dialogs.result_message(samples.request(), samples.evidence())
    assert buttons(good) == ["continue_draft", "discard_draft"]
    bad, text = dialogs.result_message(samples.request(), [{"field": "files", "message": "No key.", "code": "no_key"}])
    assert "⚠️ No key. [no_key]" in list(texts(bad))
    assert text == "#42 Trusted CA certificate for hq: the check is done."


def test_closed_drafts_have_no_buttons() -> None:
    """Once a draft is gone its message has nothing left to press."""
    assert buttons(dialogs.draft_closed(samples.request(), "Discarded.")[0]) == []


def test_a_rejection_needs_a_reason() -> None:
    """The reason is a field of 3 to 500 characters, and the caller's metadata comes back."""
    view = dialogs.reject_reason(samples.request(), "given by the caller")
    element = view["blocks"][1]["element"]
    assert (element["min_length"], element["max_length"], view["blocks"][1]["optional"]) == (3, 500, False)
    assert view["private_metadata"] == "given by the caller"
    assert Shown.load(dialogs.reject_reason(samples.request())["private_metadata"]).request == 42


def test_not_taken_says_what_to_do() -> None:
    """What could not be saved is said to have changed nothing, with the code."""
    assert "nothing has changed. Please press again. [store_busy]" in dialogs.not_taken()


def test_gone_and_empty_notices() -> None:
    """A draft that went is explained, and even an empty notice is a view."""
    assert "[draft_gone]" in "\n".join(texts(dialogs.gone()))
    accept_view(dialogs.notice("", ""))


def test_nothing_to_name_is_still_a_sentence() -> None:
    """A check without files has words all the same."""
    assert "Checking your request for" in "\n".join(texts(dialogs.checking(Ask(pbx="hq"), 1, 1)))
