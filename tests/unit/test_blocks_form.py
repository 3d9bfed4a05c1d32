"""The form: the fields of each kind, what it carries, and where its problems stand."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.fields import FormContext, block_id
from bot.blocks.form import FormState, errors, form
from bot.blocks.reading import read_state
from bot.domain.dns_providers import Catalogue
from bot.domain.problems import Problem
from bot.domain.requests import Ask, Kind, ReceivedFile
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_view, texts
from tests.unit.form_payloads import APPLY_TYPED, CONTEXT, PROVIDER, TYPING, inputs, payload

PROVIDERS = st.sampled_from(Catalogue.load().providers)
CONTEXTS = st.builds(
    FormContext,
    dns_profiles=st.lists(st.tuples(st.text("abc", min_size=1, max_size=75), st.just("alidns")), max_size=120, unique=True).map(
        tuple
    ),
    typed_allowed=st.booleans(),
    provider=st.none() | PROVIDERS,
    kept=st.frozensets(st.sampled_from(["Token", "TTL"])),
    emergency=st.booleans(),
    pbx_matters=st.booleans(),
)
PROBLEMS = st.lists(
    st.builds(
        Problem,
        st.sampled_from(
            [
                "",
                "pbx",
                "kind",
                "files",
                "domain",
                "dns",
                "dns.Token",
                "provider",
                "reason",
                "auto_renewal",
                "emergency",
                "emergency_pbx",
                "x",
            ]
        ),
        st.text(max_size=2000),
        st.just("code"),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples.ASKS, CONTEXTS, PROBLEMS, st.integers(0, 10**6))
def test_any_form_fits(ask: Ask, context: FormContext, problems: list[Problem], revision: int) -> None:
    """Slack takes the form for whatever was typed and whatever is wrong with it, and its metadata reads back."""
    view = form(FormState(ask, 7, 2, revision, "C01"), context, problems)
    accept_view(view)
    assert len(view["private_metadata"]) < 3000
    assert read_state({**view, "state": {"values": {}}}).draft == 7


@settings(max_examples=100, deadline=None)
@given(samples.ASKS, CONTEXTS, PROBLEMS)
def test_no_error_is_lost(ask: Ask, context: FormContext, problems: list[Problem]) -> None:
    """Every problem goes to an input block that is on display; Slack would drop any other."""
    told = errors(problems, 3, ask, context)
    ids = {block["block_id"] for block in form(FormState(ask, revision=3), context)["blocks"] if block["type"] == "input"}
    assert set(told) <= ids
    assert bool(told) == bool(problems)


@pytest.mark.parametrize(
    ("ask", "context", "names"),
    [
        (samples.ask(), CONTEXT, ["pbx", "kind", "files", "reason", "start"]),
        (samples.ask(Kind.IMPORT), CONTEXT, ["pbx", "kind", "files", "auto_renewal", "reason", "start"]),
        (
            samples.ask(Kind.IMPORT, auto_renewal=True),
            CONTEXT,
            ["pbx", "kind", "files", "auto_renewal", "dns", "reason", "start"],
        ),
        (samples.ask(Kind.APPLY), CONTEXT, ["pbx", "kind", "domain", "dns", "reason", "start"]),
        (samples.ask(Kind.APPLY), FormContext(), ["pbx", "kind", "domain", "reason", "start"]),
        (
            APPLY_TYPED,
            TYPING,
            [
                "pbx",
                "kind",
                "domain",
                "dns",
                "provider",
                "param.some.Token",
                "param.some.Sandbox",
                "param.some.TTL",
                "reason",
                "start",
            ],
        ),
    ],
)
def test_only_the_fields_of_the_kind(ask: Ask, context: FormContext, names: list[str]) -> None:
    """Each kind shows its own fields, in order, and DNS only where it is needed."""
    assert list(inputs(form(FormState(ask), context))) == names


def test_typed_credentials_only_where_allowed() -> None:
    """Without allow_typed_dns_credentials there is neither the choice nor a field, whatever the ask says."""
    view = form(FormState(APPLY_TYPED), replace(CONTEXT, provider=PROVIDER))
    assert list(inputs(view)) == ["pbx", "kind", "domain", "dns", "reason", "start"]
    assert [option["value"] for option in inputs(view)["dns"]["element"]["options"]] == ["corp"]
    assert not inputs(view)["dns"]["dispatch_action"]


def test_nothing_to_choose_from() -> None:
    """Where there are no DNS credentials at all, the form says whom to ask."""
    assert "`[[dns]]`" in "\n".join(texts(form(FormState(samples.ask(Kind.APPLY)), FormContext())))


def test_fields_that_change_the_form_dispatch() -> None:
    """Kind, renewal, DNS and provider tell us at once; the others wait for the submission."""
    view = form(FormState(replace(APPLY_TYPED)), TYPING)
    dispatching = [name for name, block in inputs(view).items() if block["dispatch_action"]]
    assert dispatching == ["kind", "dns", "provider"]
    assert inputs(form(FormState(samples.ask(Kind.IMPORT)), CONTEXT))["auto_renewal"]["dispatch_action"]


def test_what_was_typed_is_filled_in() -> None:
    """A new revision has new block ids, under which the initial values are what was typed."""
    ask = samples.ask(Kind.APPLY, dns="corp")
    found = inputs(form(FormState(ask, revision=4), CONTEXT))
    assert found["domain"]["block_id"] == "f4:domain" == block_id("domain", 4)
    assert found["domain"]["element"]["initial_value"] == "pbx.example.com"
    assert found["reason"]["element"]["initial_value"] == "New corporate root"
    assert found["pbx"]["element"]["initial_option"]["value"] == "hq"
    assert found["dns"]["element"]["initial_option"]["value"] == "corp"
    assert found["kind"]["element"]["initial_option"]["value"] == "apply"


def test_a_profile_that_went_is_not_chosen() -> None:
    """An initial option that is not on offer would make Slack refuse the view."""
    view = form(FormState(samples.ask(Kind.APPLY, dns="old")), CONTEXT)
    assert "initial_option" not in inputs(view)["dns"]["element"]
    accept_view(view)


def test_received_files_are_named() -> None:
    """A file input cannot be filled in, so the received file is named and its replacement is optional."""
    ask = samples.ask()
    view = form(FormState(ask, draft=7), CONTEXT)
    assert "Received: `corp-root.crt` (2 KB)" in "\n".join(texts(view))
    block = inputs(view)["files"]
    assert (block["optional"], block["label"]["text"]) == (True, "Replace the file(s)")
    assert not inputs(form(FormState(replace(ask, files=())), CONTEXT))["files"]["optional"]


def test_kept_secrets_are_only_called_kept() -> None:
    """A parameter that is in the vault is optional and shows as kept; it never has an initial value."""
    found = inputs(form(FormState(APPLY_TYPED), replace(TYPING, kept=frozenset({"Token"}))))
    token = found["param.some.Token"]
    assert token["optional"]
    assert token["element"]["placeholder"]["text"] == "kept; type to replace"
    assert not any("initial" in key for name in found if name.startswith("param.") for key in found[name]["element"])
    assert not inputs(form(FormState(APPLY_TYPED), TYPING))["param.some.Token"]["optional"]


def test_likely_parameters_are_not_insisted_upon() -> None:
    """Only what the vendor's page requires is required; what is merely likely says so."""
    context = replace(TYPING, provider=replace(PROVIDER, verified=False))
    token = inputs(form(FormState(APPLY_TYPED), context))["param.some.Token"]
    assert token["optional"]
    assert token["hint"]["text"] == "API token. Likely needed."


def test_parameters_say_their_defaults() -> None:
    """A parameter with a default may be left empty, and its hint says what the PBX then uses."""
    ttl = inputs(form(FormState(APPLY_TYPED), TYPING))["param.some.TTL"]
    assert ttl["hint"]["text"] == "A whole number. The PBX uses 600 if this is left empty."


def test_problems_stand_above_their_fields() -> None:
    """After the check each problem is a section before its field, a general one on top, with its code."""
    told = [Problem("domain", "Not a <domain>.", "domain_label"), Problem("", "hq is full.", "full")]
    blocks = form(FormState(samples.ask(Kind.APPLY)), CONTEXT, told)["blocks"]
    assert blocks[0]["text"]["text"] == "⚠️ hq is full. [full]"
    place = [block.get("block_id") for block in blocks].index("f0:domain")
    assert blocks[place - 1]["text"]["text"] == "⚠️ Not a &lt;domain&gt;. [domain_label]"


def test_problems_from_the_ledger() -> None:
    """The ledger's plain problems are taken as they are."""
    plain = [{"field": "files", "message": "No key.", "code": "no_key"}]
    assert "⚠️ No key. [no_key]" in list(texts(form(FormState(samples.ask()), CONTEXT, plain)))
    assert errors(plain, 2, samples.ask(), CONTEXT) == {"f2:files": "No key. [no_key]"}


@pytest.mark.parametrize(
    ("field", "ask", "context", "home"),
    [
        ("dns.Token", APPLY_TYPED, TYPING, "param.some.Token"),
        ("dns.Other", APPLY_TYPED, TYPING, "dns"),
        ("dns.Token", samples.ask(Kind.APPLY), CONTEXT, "dns"),
        ("provider", samples.ask(Kind.APPLY), CONTEXT, "dns"),
        ("dns", samples.ask(Kind.APPLY), FormContext(), "kind"),
        ("files", samples.ask(Kind.APPLY), CONTEXT, "kind"),
        ("", samples.ask(), CONTEXT, "pbx"),
        ("unheard-of", samples.ask(), CONTEXT, "pbx"),
    ],
)
def test_errors_find_the_nearest_field(field: str, ask: Ask, context: FormContext, home: str) -> None:
    """A problem whose field is not shown stands under the nearest one that is."""
    assert list(errors([Problem(field, "No.", "no")], 1, ask, context)) == [f"f1:{home}"]


def test_long_metadata_keeps_what_no_row_has() -> None:
    """Links and long names are cut before anything that only the form knows."""
    files = tuple(ReceivedFile(f"F{n}", "n" * 400, 1, "https://x/" + "p" * 900) for n in range(3))
    state = FormState(samples.ask(files=files, reason="r" * 500), draft=7)
    back = FormState.load(state.dump())
    assert back.ask.reason == "r" * 500
    assert [file.id for file in back.ask.files] == ["F0", "F1", "F2"]
    assert [len(file.name) for file in back.ask.files] == [400, 400, 400]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ask": {}}', '{"ask": {"kind": "no"}}', '{"ask": null}'])
def test_foreign_metadata_is_refused(text: str) -> None:
    """Metadata that this form did not make is a ValueError, not a crash somewhere later."""
    with pytest.raises(ValueError, match=r".+"):
        FormState.load(text)


def test_a_start_goes_there_and_back() -> None:
    """The start is chosen as seconds and kept in UTC; an empty field empties it, and one that is not sent changes nothing."""
    view = form(FormState(samples.ask(start="2026-03-07T22:30:00+00:00")), CONTEXT)
    element = inputs(view)["start"]["element"]
    assert element == {"type": "datetimepicker", "action_id": "start", "initial_date_time": 1772922600}
    assert inputs(view)["start"]["optional"]

    def read(**values: Any) -> str:
        return read_state(payload(view, **values)).ask.start

    assert read() == "2026-03-07T22:30:00+00:00"
    assert read(start={"type": "datetimepicker", "selected_date_time": 1772926200}) == "2026-03-07T23:30:00+00:00"
    assert read(start={"type": "datetimepicker", "selected_date_time": None}) == ""
    assert read(start={"type": "datetimepicker", "selected_date_time": 10**15}).startswith("9999-12-31")


@pytest.mark.parametrize("start", ["1970-01-02T00:00:00+00:00", "2300-01-01T00:00:00+00:00"])
def test_a_start_that_slack_would_not_take_is_not_filled_in(start: str) -> None:
    """Slack refuses a view whose date has not 10 digits, so the field is empty instead."""
    assert "initial_date_time" not in inputs(form(FormState(samples.ask(start=start)), CONTEXT))["start"]["element"]
