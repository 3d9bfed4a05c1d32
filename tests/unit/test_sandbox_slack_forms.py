"""A form in a person's hands: what can be entered, what the client refuses, what the app hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.slack import PersonRefused, Workspace
from tests.unit.slack_app import Robot, Scene, client, modal, opened, plain, stage, text_input

whole = pytest.fixture(scope="module", name="whole")(stage)


@pytest.fixture
def scene(whole: tuple[Workspace, Robot]) -> Iterator[Scene]:
    """A workspace with its app, which is shared, and a person of the test's own."""
    ws, app = whole
    yield ws, app, ws.add_person("ana")
    app.on.clear()


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def field(label: str, kind: str, **element: Any) -> dict[str, Any]:
    block = {"type": "input", "block_id": label.lower(), "label": plain(label), "optional": True}
    return block | {"element": {"type": kind, "action_id": f"{label.lower()}-action", **element}}


def test_every_kind_of_field_reaches_the_state(scene: Scene) -> None:
    """A select, radio buttons and checkboxes stand in state.values as Slack shapes them, untouched ones as null."""
    ws, _, ana = scene
    choices = [option("one"), option("two")]
    form = opened(
        ws,
        ana,
        modal(
            field("Select", "static_select", options=choices),
            field("Radio", "radio_buttons", options=choices),
            field("Boxes", "checkboxes", options=choices),
            field("Other", "static_select", options=choices),
        ),
    )
    form.choose("Select", "Two")
    form.choose("Radio", "one")
    form.check("Boxes", "one", "two")
    form.uncheck("Boxes", "Two")
    values = form.submit().payload["view"]["state"]["values"]
    assert values["select"]["select-action"] == {"type": "static_select", "selected_option": option("two")}
    assert values["radio"]["radio-action"] == {"type": "radio_buttons", "selected_option": option("one")}
    assert values["boxes"]["boxes-action"] == {"type": "checkboxes", "selected_options": [option("one")]}
    assert values["other"]["other-action"] == {"type": "static_select", "selected_option": None}


def test_initial_values_are_in_the_state(scene: Scene) -> None:
    """What an element starts with is what is submitted if nobody touches it."""
    ws, _, ana = scene
    choices = [option("one"), option("two")]
    form = opened(ws, ana, modal(field("Select", "static_select", options=choices, initial_option=choices[1])))
    assert form.value("Select") == "two"
    assert form.submit().payload["view"]["state"]["values"]["select"]["select-action"]["selected_option"] == choices[1]


def test_an_external_select_asks_the_app(scene: Scene) -> None:
    """Options come from the app for the query, and what is picked stands in the state."""
    ws, app, ana = scene
    asked: list[str] = []

    def suggest(ack: Any, body: Any, client: Any) -> None:
        asked.append(body["value"])
        ack(options=[each for each in (option("alidns"), option("route53")) if body["value"].lower() in each["value"]])

    app.on["block_suggestion"] = suggest
    form = opened(ws, ana, modal(field("Provider", "external_select", min_query_length=0)))
    assert form.options("Provider", "rou") == ["Route53"]
    form.pick("Provider", "Alidns")
    assert (form.value("Provider"), asked) == ("alidns", ["rou", "Alidns"])


def test_a_query_below_the_minimum_is_not_asked(scene: Scene) -> None:
    """Without min_query_length the client asks only from three characters on."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(field("Provider", "external_select")))
    assert form.options("Provider", "al") == []
    assert "block_suggestion" not in [delivery.kind for delivery in ws.deliveries if delivery.user == ana.id]


def test_too_many_options_are_none(scene: Scene) -> None:
    """An answer with 101 options is not shown, and the delivery says why."""
    ws, app, ana = scene
    app.on["block_suggestion"] = lambda ack, body, client: ack(options=[option(f"o{n}") for n in range(101)])
    form = opened(ws, ana, modal(field("Provider", "external_select", min_query_length=0)))
    assert form.options("Provider", "") == []
    assert "no more than 100" in (ws.deliveries[-1].problem or "")


def test_a_change_is_told_with_dispatch_action_only(scene: Scene) -> None:
    """A select with dispatch_action sends block_actions with view, hash, state and trigger; one without sends nothing."""
    ws, _, ana = scene
    loud = field("Kind", "static_select", options=[option("one")]) | {"dispatch_action": True}
    form = opened(ws, ana, modal(loud, field("Calm", "static_select", options=[option("one")])))
    assert form.choose("Calm", "one") is None
    delivery = form.choose("Kind", "one")
    assert delivery is not None
    payload = delivery.payload
    assert payload["actions"][0]["selected_option"] == option("one")
    assert payload["view"]["state"]["values"]["kind"]["kind-action"]["selected_option"] == option("one")
    assert payload["view"]["hash"]
    assert client(ws).views_push(trigger_id=payload["trigger_id"], view=modal())["ok"]


def test_a_required_field_is_checked_before_anything_is_sent(scene: Scene) -> None:
    """The client itself refuses to submit an empty required field, or a text that is too short."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(text_input("Reason", min_length=3)))
    assert form.submit().outcome == "refused by client"
    assert form.errors == {"reason": "Please complete this required field."}
    form.type("Reason", "x")
    form.submit()
    assert form.errors == {"reason": "Please enter at least 3 characters."}
    assert "view_submission" not in [delivery.kind for delivery in ws.deliveries if delivery.user == ana.id]


def test_files_are_held_to_number_and_extension(scene: Scene) -> None:
    """A file field refuses a third file of two and a wrong extension, and puts the others into the state."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(field("Files", "file_input", filetypes=["pem"], max_files=2)))
    with pytest.raises(PersonRefused, match="at most 2"):
        form.attach("Files", ("a.pem", b""), ("b.pem", b""), ("c.pem", b""))
    with pytest.raises(PersonRefused, match="key"):
        form.attach("Files", ("a.key", b""))
    form.attach("Files", ("a.pem", b"abc"))
    (given,) = form.submit().payload["view"]["state"]["values"]["files"]["files-action"]["files"]
    assert (given["name"], given["size"]) == ("a.pem", 3)
    assert client(ws).files_info(file=given["id"])["file"]["name"] == "a.pem"


def test_a_form_reads_as_a_person_sees_it(scene: Scene) -> None:
    """Title, labels, what was typed and the buttons are all in its texts."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(text_input("Reason"), title="Ask"))
    form.type("Reason", "expired")
    assert form.texts() == ["Ask", "Reason: expired", "[Send]"]
    assert form.field_labels() == ["Reason"]


def test_only_the_visible_view_can_be_used(scene: Scene) -> None:
    """A view below another one and a closed view refuse a person's hands."""
    ws, _, ana = scene
    button = {"type": "actions", "elements": [{"type": "button", "text": plain("More")}]}
    below = opened(ws, ana, modal(button))
    client(ws).views_push(trigger_id=below.click("More").payload["trigger_id"], view=modal(title="Top"))
    with pytest.raises(PersonRefused, match="below"):
        below.submit()
    top = ana.wait_modal("Top")
    top.close()
    with pytest.raises(PersonRefused, match="closed"):
        top.submit()


def test_a_field_that_is_not_there_is_named(scene: Scene) -> None:
    """The refusal lists the fields that exist."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(text_input("Reason")))
    with pytest.raises(PersonRefused, match="Reason"):
        form.type("Cause", "x")


def test_a_modal_that_does_not_come_is_a_timeout(scene: Scene) -> None:
    """wait_modal ends with a TimeoutError that names what is open."""
    _, _, ana = scene
    with pytest.raises(TimeoutError, match="Nowhere"):
        ana.wait_modal("Nowhere", timeout=0.01)


def test_a_date_and_a_time_are_seconds(scene: Scene) -> None:
    """A datetime picker starts with its initial value, holds seconds in state.values, and keeps them over an update."""
    ws, _, ana = scene
    picker = field("Start", "datetimepicker", initial_date_time=1628633820)
    form = opened(ws, ana, modal(picker, field("Other", "datetimepicker")))
    assert (form.value("Start"), form.value("Other")) == (1628633820, None)
    assert "Start: 2021-08-10 22:17 UTC" in form.texts()
    assert form.set_time("Start", 1772922600) is None
    client(ws).views_update(view_id=form.id, view=modal(picker, field("New", "datetimepicker")))
    values = form.submit().payload["view"]["state"]["values"]
    assert values["start"]["start-action"] == {"type": "datetimepicker", "selected_date_time": 1772922600}
    assert values["new"]["new-action"] == {"type": "datetimepicker", "selected_date_time": None}


def test_an_emptied_date_is_null(scene: Scene) -> None:
    """A required one that is empty is refused by the client, an optional one is null; dispatch_action tells the app."""
    ws, _, ana = scene
    wanted = field("Start", "datetimepicker", initial_date_time=1628633820) | {"optional": False, "dispatch_action": True}
    form = opened(ws, ana, modal(wanted))
    emptied = form.set_time("Start", None)
    assert emptied is not None
    assert emptied.payload["actions"][0]["selected_date_time"] is None
    assert form.submit().outcome == "refused by client"
    told = form.set_time("Start", 1772922600)
    assert told is not None
    assert told.payload["actions"][0]["selected_date_time"] == 1772922600
    assert form.submit().outcome == "acked"
