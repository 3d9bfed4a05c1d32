"""What the command answers with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.replies import help_text, listing, status
from bot.domain.events import Event, EventKind
from bot.domain.requests import Decision, Execution, Request
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_message, texts

NOW = samples.NOW


@dataclass(frozen=True)
class Found:
    """A certificate as the client reads it from a PBX."""

    id: int = 1
    name: str = "a.pem"
    type: str | None = "server"
    issue_to: str = "pbx.example.com"
    expires: datetime | None = NOW + timedelta(days=90, hours=1)
    expiration_text: str = "2026/05/30"
    apply_status: str | None = None


def told(*found: Found) -> str:
    return "\n".join(texts(listing("hq", found, NOW)[0]))


_FOUND = st.builds(
    Found,
    st.integers(),
    st.text(max_size=2000),
    st.sampled_from(["server", "trusted", "other", None]),
    st.text(max_size=2000),
    st.none() | st.datetimes(timezones=st.just(NOW.tzinfo)),
    st.text(max_size=300),
    st.none() | st.text(max_size=50),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_FOUND, max_size=60))
def test_any_listing_fits(found: list[Found]) -> None:
    """Slack takes the list whatever the PBX answered."""
    accept_message(*listing("hq", found, NOW))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples.requests(), st.integers(0, 80))
def test_any_status_fits(request: Request, count: int) -> None:
    """A status stays below 3000 characters however long the history is."""
    events = [Event(n, 42, EventKind.RETRYING, "bot", NOW, {"sentence": f"{n} " + "<&" * 90}) for n in range(count)]
    assert 0 < len(status(request, events)) <= 3000


def test_status_tells_state_and_history() -> None:
    """A status names the request, its state and its last events with their times."""
    request = samples.request(decision=Decision.APPROVED, execution=Execution.WAITING)
    events = [
        Event(1, 42, EventKind.DRAFTED, "U0ANNA", NOW, {}),
        Event(2, 42, EventKind.VOTED, "U0LEAD", NOW, {"verdict": "approve", "have": 1, "need": 1}),
    ]
    text = status(request, events)
    assert text.splitlines()[0] == "*#42 Trusted CA certificate for hq*, asked for by <@U0ANNA>"
    assert "*approved, waiting*" in text
    assert text.endswith("👍 <@U0LEAD> approved it: 1 of 1 approvals.")


def test_long_histories_keep_their_end() -> None:
    """Where not all events fit, the last ones are shown and the others counted."""
    events = [Event(n, 42, EventKind.RETRYING, "bot", NOW, {"sentence": f"Try {n}."}) for n in range(60)]
    text = status(samples.request(), events)
    assert "Try 59." in text
    assert "earlier events not shown" in text


def test_slots_and_expiry_are_listed() -> None:
    """The list shows the slots used of each type, and when each certificate expires."""
    text = told(Found(), Found(2, "root.crt", "trusted", expires=NOW + timedelta(days=12, hours=1)))
    assert "*server*: 1 of 3 slots used" in text
    assert "*trusted*: 1 of 20 slots used" in text
    assert "`a.pem` (id 1, issued to `pbx.example.com`): expires in 90 days, on 2026-05-30" in text
    assert "🟠 expires in 12 days, on 2026-03-13" in text


def test_expired_certificates_stand_first() -> None:
    """What has expired is on top and says so; what expires today is told in hours."""
    text = told(
        Found(1, "later.pem"),
        Found(2, "gone.pem", expires=NOW - timedelta(seconds=1)),
        Found(3, "today.pem", expires=NOW + timedelta(hours=5)),
    )
    assert text.index("gone.pem") < text.index("today.pem") < text.index("later.pem")
    assert "🔴 *EXPIRED* on 2026-03-01" in text
    assert "expires in 5 h" in text


def test_a_date_in_doubt_is_shown_as_written() -> None:
    """A date that cannot be read for certain is not guessed."""
    assert "expiry as the PBX writes it: `03/04/2026`" in told(Found(expires=None, expiration_text="03/04/2026"))


def test_unfinished_applications_are_marked() -> None:
    """An application that is not through shows its status; an ordinary certificate shows none."""
    assert ", issuing)" in told(Found(apply_status="issuing"))
    assert "issuance_success" not in told(Found(apply_status="issuance_success"))


def test_help_names_every_command() -> None:
    """The help has each subcommand."""
    assert all(f"/pbx-cert{rest}" in help_text() for rest in ("`", " status 42", " list", " list hq", " help"))
