"""Text from outside: escaped, cut, and harmless."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.text import at, clean, code, duration, escape, listed, packed, pieces, plain, quote, size

NASTY = st.text(st.sampled_from("&<>`\n\r\u2028\u0085\u202e\x00\x1b ab\t😀")) | st.text()


@given(NASTY, st.integers(1, 60))
def test_escaped_text_holds_no_tag(text: str, limit: int) -> None:
    """No raw bracket is left, no entity is cut in two, and the limit counts what is sent."""
    escaped = escape(text, limit)
    assert len(escaped) <= limit
    assert not re.search(r"[<>]", escaped)
    assert not re.search(r"&(?!amp;|lt;|gt;)", escaped)


@given(NASTY)
def test_cleaned_text_is_one_line(text: str) -> None:
    """Nothing that breaks a line or turns its direction is left."""
    assert len(clean(text).splitlines()) <= 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", clean(text))


@given(NASTY, st.integers(3, 60))
def test_code_cannot_be_left(text: str, limit: int) -> None:
    """Inline code has exactly its own two backticks."""
    made = code(text, limit)
    assert made.count("`") == 2
    assert 3 <= len(made) <= limit


@given(NASTY)
def test_every_quoted_line_is_marked(text: str) -> None:
    """A quotation has no line without its mark."""
    assert all(line.startswith("> ") for line in quote(text).splitlines())
    assert len(quote(text)) <= 2850


@given(NASTY, st.integers(5, 40))
def test_pieces_lose_nothing(text: str, limit: int) -> None:
    """A long line in parts is the whole line, and each part fits once escaped."""
    parts = pieces(text, limit)
    assert "".join(parts) == clean(text)
    assert all(sum({"&": 5, "<": 4, ">": 4}.get(c, 1) for c in part) <= limit for part in parts)


@given(st.lists(st.text(max_size=20)), st.integers(20, 60))
def test_packed_lines_stay_whole(lines: list[str], limit: int) -> None:
    """Packing keeps every line, in order, within the limit."""
    texts = packed(lines, limit)
    assert "\n".join(texts) == "\n".join(lines)
    assert all(len(text) <= limit for text in texts)


def test_lists_say_what_is_missing() -> None:
    """A cut list counts what was left out, by number or by length."""
    assert listed(["a", "b", "c"], 2, more=": Details") == "a, b + 1 more: Details"
    assert listed(["aaaa", "bbbb"], 9, limit=6) == "aaaa + 1 more"
    assert listed(["a", "b"], 2) == "a, b"


def test_long_quotes_say_what_is_missing() -> None:
    """A quotation of many lines ends in how many are left."""
    assert quote("a\n\nb\nc", lines=2) == "> a\n> b\n> _+ 1 more line_"
    assert quote(" \n ") == "> _nothing_"


def test_plain_text_is_never_empty() -> None:
    """Slack refuses an empty text object."""
    assert plain("", 10) == "-"
    assert plain("\n", 10) == "-"
    assert plain("a" * 11, 10) == "a" * 9 + "…"


def test_moments_have_a_fallback() -> None:
    """A date token is followed by the time in UTC for clients that cannot resolve it."""
    moment = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    assert at(moment) == "<!date^1772366700^{date_short_pretty} {time}|2026-03-01 12:05 UTC>"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (-5, "0 s"), (59.6, "1 min"), (65, "1 min 5 s"), (3600, "1 h"), (90061, "1 d 1 h")],
)
def test_durations(seconds: float, expected: str) -> None:
    """A duration is told in its two largest units."""
    assert duration(seconds) == expected


@pytest.mark.parametrize(("count", "expected"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 KB"), (1620, "2 KB")])
def test_sizes(count: int, expected: str) -> None:
    """A size is rounded up to whole kilobytes."""
    assert size(count) == expected
