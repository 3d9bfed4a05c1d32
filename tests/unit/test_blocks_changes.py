"""What people read of a request that was changed, or decided, while they were looking at it."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks import changes, dialogs
from bot.blocks.form import FormState, form
from bot.blocks.lines import line
from bot.domain.events import Event, EventKind
from bot.domain.plan import Evidence
from bot.domain.requests import Decision, Request
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_view, buttons, texts
from tests.unit.form_payloads import APPLY_TYPED, CONTEXT, TYPING

SENTENCES = st.lists(st.text(max_size=600), max_size=30).map(tuple)


def edited(told: tuple[str, ...], *voted: str) -> Event:
    data = {"version": 4, "digest": "d", "changes": list(told), "voted": list(voted), "secrets": [], "draft": 43}
    return Event(9, 42, EventKind.EDITED, "U0ANNA", samples.NOW, data)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples.requests(), samples.EVIDENCE, SENTENCES, st.lists(st.just("U0123456789"), max_size=60))
def test_any_change_fits(request: Request, evidence: Evidence, told: tuple[str, ...], voted: list[str]) -> None:
    """Slack takes every view and line, however much has changed and however many had voted."""
    accept_view(dialogs.confirm(request, evidence, told))
    accept_view(changes.asked(request))
    accept_view(changes.too_late(request, " ".join(told)[:2900]))
    assert len(line(edited(told, *voted), request) or "") <= 3000
    assert len(changes.outdated(request, told)) <= 4000


def test_what_was_typed_mentions_nobody() -> None:
    """A sentence quotes what people typed, so it is escaped wherever it is shown."""
    told = ("The reason is “<!channel> & <@U0BOSS>” now; it was “*x*”.",)
    for text in (line(edited(told), samples.request()) or "", changes.outdated(samples.request(), told)):
        assert "&lt;!channel&gt; &amp; &lt;@U0BOSS&gt;" in text
        assert "<!channel>" not in text


def test_those_who_had_voted_are_mentioned() -> None:
    """They are asked to look again; where nobody had voted, nobody is."""
    assert "<@U0LEAD>, <@U0BEN>: please look again" in (line(edited(("A.",), "U0LEAD", "U0BEN"), samples.request()) or "")
    assert "look again" not in (line(edited(("A.",)), samples.request()) or "")


def test_a_version_that_nobody_was_shown() -> None:
    """Where it is not known what a button showed, only the card can be looked at."""
    told = changes.outdated(samples.request(), ())
    assert told.endswith("Please look at its card again and decide anew.")
    assert "different" not in told


@pytest.mark.parametrize(
    ("decision", "seconds", "said"),
    [
        (Decision.APPROVED, 2, "<@U0LEAD> approved this 2 s ago."),
        (Decision.REJECTED, 300, "<@U0LEAD> rejected this 5 min ago."),
        (Decision.REJECTED, 7200, "<@U0LEAD> rejected this 2 h ago."),
        (Decision.EXPIRED, 2, ""),
        (Decision.PENDING, 2, ""),
    ],
)
def test_who_decided(decision: Decision, seconds: int, said: str) -> None:
    """Only what somebody decided says who did, and how long ago."""
    request = samples.request(decision=decision, decided_at=samples.NOW, votes=(samples.vote(),))
    assert changes.decided(request, samples.NOW + timedelta(seconds=seconds)) == said


def test_what_was_typed_leads_on() -> None:
    """A change that came too late leaves its draft with a button that leads to the form."""
    view = changes.too_late(samples.request(edits=41), "Somebody was faster.")
    assert buttons(view["blocks"]) == ["change"]
    assert "#41 was not changed." in "\n".join(texts(view))


def test_a_draft_of_a_change_bears_its_requests_number() -> None:
    """People never see the number of the draft itself."""
    view = dialogs.confirm(samples.request(id=57, edits=42), samples.evidence(), ("The reason is “b” now; it was “a”.",))
    told = "\n".join(texts(view))
    assert "#42 Trusted CA certificate for hq (change)" in told
    assert "#57" not in told
    assert "• The reason is “b” now; it was “a”." in told
    assert view["submit"]["text"] == "Change the request"


def test_the_form_says_what_it_is_for() -> None:
    """A form that changes a request has its number as title; one that asks anew names the one before, and what is missing."""
    changing = form(FormState(samples.ask(), edits=42, edits_version=3), CONTEXT)
    assert changing["title"]["text"] == "Change #42"
    assert FormState.load(changing["private_metadata"]).edits_version == 3
    anew = "\n".join(texts(form(FormState(samples.ask(after=41)), CONTEXT)))
    assert "Asked anew after #41" in anew
    assert "From #41: `corp-root.crt`" in anew
    typed = "\n".join(
        texts(form(FormState(samples.ask(APPLY_TYPED.kind, dns=APPLY_TYPED.dns, provider="some", after=41)), TYPING))
    )
    assert "The DNS credentials that you typed for #41 are not kept." in typed
