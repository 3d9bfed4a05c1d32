"""The message of the day."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.digest import MOST, digest
from bot.domain.requests import Request
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_message, texts


def test_one_request() -> None:
    """What it is, with a link to its card, who asked, since when, and until when."""
    blocks, text = digest([samples.request()], {42: "https://x.slack.com/archives/C02HQ/p1"})
    accept_message(blocks, text)
    assert text == "1 request waits for your approval."
    assert "\n".join(texts(blocks)) == (
        "📬 *1 request waits for your approval*\n"
        "• <https://x.slack.com/archives/C02HQ/p1|#42 Trusted CA certificate for hq>: asked for by <@U0ANNA>,"
        " waiting since <!date^1772366400^{date_short_pretty} {time}|2026-03-01 12:00 UTC>,"
        " open until <!date^1772395200^{date_short_pretty} {time}|2026-03-01 20:00 UTC>"
    )


def test_without_a_link_the_channel_is_named() -> None:
    """A card that is not there, or whose address Slack does not tell, is to be looked for in its channel."""
    blocks, _ = digest([samples.request()], {})
    assert "• #42 Trusted CA certificate for hq, in <#C02HQ>: asked for by <@U0ANNA>" in "\n".join(texts(blocks))


def test_more_than_anybody_reads() -> None:
    """The oldest are listed, and the others counted."""
    blocks, text = digest([replace(samples.request(), id=number) for number in range(1, MOST + 4)], {})
    accept_message(blocks, text)
    told = "\n".join(texts(blocks))
    assert f"#{MOST} Trusted" in told
    assert f"#{MOST + 1} Trusted" not in told
    assert told.endswith("and 3 more: `/pbx-cert pending` lists them all.")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(samples.requests(), min_size=1, max_size=5), st.integers(1, 60))
def test_any_digest_fits(requests: list[Request], times: int) -> None:
    """Whatever waits, Slack takes the message."""
    accept_message(*digest(requests * times, {42: "https://x.slack.com/archives/C02HQ/p1772366400000100"}))
