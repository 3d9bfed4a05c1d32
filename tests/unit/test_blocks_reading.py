"""The form read back from a payload."""

import json
from dataclasses import replace

from bot.blocks.form import FormState, form
from bot.blocks.reading import read_files, read_reason, read_state, read_typed, received
from bot.domain.requests import Ask, Kind, ReceivedFile
from tests.unit import block_samples as samples
from tests.unit.form_payloads import APPLY_TYPED, CONTEXT, TYPING, chosen, payload, typed


def test_reading_what_was_typed() -> None:
    """Every field of the payload reaches the ask."""
    view = form(FormState(Ask(kind=Kind.APPLY), asked_in="C01"), CONTEXT)
    given = payload(
        view,
        pbx=chosen("hq"),
        kind=chosen("apply"),
        domain=typed(" pbx.example.com "),
        dns=chosen("corp"),
        reason=typed("why\nso"),
    )
    wanted = Ask(pbx="hq", kind=Kind.APPLY, domain="pbx.example.com", dns="corp", reason="why\nso")
    assert read_state(given) == FormState(wanted, asked_in="C01")


def test_absent_is_unchanged_and_null_is_emptied() -> None:
    """Slack may leave a filled-in field out, which changes nothing; a field that is there and null was emptied."""
    view = form(FormState(samples.ask(Kind.APPLY)), CONTEXT)
    emptied = {"type": "static_select", "selected_option": None}
    ask = read_state(payload(view, domain=typed(None), dns=emptied)).ask
    assert ask == replace(samples.ask(Kind.APPLY), domain="", dns="", params=())
    kept = read_state(payload(view)).ask
    assert (kept.domain, kept.dns, kept.reason) == ("pbx.example.com", "corp", "New corporate root")


def test_ticks_are_read() -> None:
    """An empty list of ticks means off; an absent one means unchanged."""
    view = form(FormState(samples.ask(Kind.IMPORT, auto_renewal=True)), CONTEXT)
    assert read_state(payload(view)).ask.auto_renewal
    assert not read_state(payload(view, auto_renewal={"type": "checkboxes", "selected_options": []})).ask.auto_renewal
    tick = {"type": "checkboxes", "selected_options": [{"value": "1"}]}
    assert read_state(payload(view, auto_renewal=tick)).ask.auto_renewal


def test_typed_parameters_are_read_apart() -> None:
    """Typed credentials are handed out by key, empty ones left out, and the state knows their names alone."""
    view = form(FormState(APPLY_TYPED), TYPING)
    fields = {"param.some.Token": typed("s3cret"), "param.some.TTL": typed(None), "param.some.Sandbox": chosen("true")}
    given = payload(view, **fields)
    assert read_typed(given) == {"Token": "s3cret", "Sandbox": "true"}
    assert set(read_state(given).ask.params) == {"Token", "Sandbox"}
    assert "s3cret" not in json.dumps(form(read_state(given), TYPING))


def test_kept_parameters_stay_given() -> None:
    """An empty field of a kept parameter keeps it."""
    view = form(FormState(APPLY_TYPED), replace(TYPING, kept=frozenset({"Token"})))
    given = payload(view, **{"param.some.Token": typed(None), "param.some.TTL": typed("300")})
    assert read_state(given).ask.params == ("Token", "TTL")


def test_another_provider_begins_anew() -> None:
    """Values typed for the provider before are neither read nor called given once another is chosen."""
    view = form(FormState(APPLY_TYPED), replace(TYPING, kept=frozenset({"Token"})))
    given = payload(view, **{"provider": chosen("alidns"), "param.some.TTL": typed("300")})
    assert read_typed(given) == {}
    assert read_state(given).ask.params == ()


def test_new_files_are_read() -> None:
    """New files come as Slack's objects; without any, what was received stays."""
    view = form(FormState(samples.ask()), CONTEXT)
    file = {"id": "F9", "name": "new.crt", "size": 12, "permalink": "https://x.slack.com/F9", "filetype": "binary"}
    given = payload(view, files={"type": "file_input", "files": [file]})
    assert read_files(given) == [file]
    assert received([file]) == (ReceivedFile("F9", "new.crt", 12, "https://x.slack.com/F9"),)
    assert read_state(given).ask.files == samples.ask().files
    assert read_files(payload(view, files={"type": "file_input", "files": []})) is None
    assert read_files(payload(view)) is None


def test_a_reason_to_reject_is_read() -> None:
    """The reason comes without the spaces around it, and without the character that a database may not take."""
    view = {"state": {"values": {"reason": {"reason": typed("  wrong\0 root ")}}}}
    assert read_reason(view) == "wrong root"
