"""Modals and home tabs as the app handles them (docs.slack.dev/surfaces/modals and the pages of views.*)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.slack import Workspace
from tests.unit.slack_app import Robot, Scene, client, modal, opened, refusal, stage, text_input

whole = pytest.fixture(scope="module", name="whole")(stage)


@pytest.fixture
def scene(whole: tuple[Workspace, Robot]) -> Iterator[Scene]:
    """A workspace with its app, which is shared, and a person of the test's own."""
    ws, app = whole
    yield ws, app, ws.add_person("ana")
    app.on.clear()
    ws.trigger_lifetime = 3.0


def _trigger(person: Any) -> str:
    return str(person.shortcut("ask").payload["trigger_id"])


def test_a_trigger_opens_one_view(scene: Scene) -> None:
    """A trigger id is used up by the first views.open, and an invented one is invalid."""
    ws, _, ana = scene
    trigger = _trigger(ana)
    client(ws).views_open(trigger_id=trigger, view=modal())
    assert refusal(client(ws).views_open, trigger_id=trigger, view=modal())["error"] == "exchanged_trigger_id"
    assert refusal(client(ws).views_open, trigger_id="1.2.x", view=modal())["error"] == "invalid_trigger_id"


def test_a_trigger_expires(scene: Scene) -> None:
    """A trigger id older than its lifetime is expired_trigger_id."""
    ws, _, ana = scene
    ws.trigger_lifetime = 0.0
    assert refusal(client(ws).views_open, trigger_id=_trigger(ana), view=modal())["error"] == "expired_trigger_id"


def test_a_view_is_checked_before_it_is_shown(scene: Scene) -> None:
    """A title of 25 characters is invalid_arguments with its pointer, and 250 KB are too large."""
    ws, _, ana = scene
    answer = refusal(client(ws).views_open, trigger_id=_trigger(ana), view=modal(title="x" * 25))
    assert answer["error"] == "invalid_arguments"
    assert "[json-pointer:/view/title/text]" in answer["response_metadata"]["messages"][0]
    big = [{"type": "section", "text": {"type": "plain_text", "text": "x" * 3000}}] * 90
    assert refusal(client(ws).views_open, trigger_id=_trigger(ana), view=modal(*big))["error"] == "view_too_large"


def test_three_views_are_the_most(scene: Scene) -> None:
    """Two views can be pushed upon the first; the third push is push_limit_reached."""
    ws, _, ana = scene
    button = {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "More"}}]}
    opened(ws, ana, modal(button, title="0"))
    for number in (1, 2):
        trigger = ana.modals[-1].click("More").payload["trigger_id"]
        client(ws).views_push(trigger_id=trigger, view=modal(button, title=str(number)))
    trigger = ana.modals[-1].click("More").payload["trigger_id"]
    assert refusal(client(ws).views_push, trigger_id=trigger, view=modal())["error"] == "push_limit_reached"
    assert [each.title for each in ana.modals] == ["0", "1", "2"]
    ana.modals[-1].close()
    assert ana.modals[-1].view["root_view_id"] == ana.modals[0].id == ana.modals[1].view["previous_view_id"]


def test_an_update_needs_the_current_hash_if_it_names_one(scene: Scene) -> None:
    """Every update makes a new hash; an older one is a hash_conflict and none at all is accepted."""
    ws, _, ana = scene
    form = opened(ws, ana, modal())
    old = form.view["hash"]
    client(ws).views_update(view_id=form.id, hash=old, view=modal(title="B"))
    assert refusal(client(ws).views_update, view_id=form.id, hash=old, view=modal())["error"] == "hash_conflict"
    assert client(ws).views_update(view_id=form.id, view=modal(title="C"))["view"]["hash"] != old


def test_a_closed_view_cannot_be_updated(scene: Scene) -> None:
    """views.update of a view that its person closed is not_found."""
    ws, _, ana = scene
    form = opened(ws, ana, modal())
    form.close()
    assert refusal(client(ws).views_update, view_id=form.id, view=modal())["error"] == "not_found"


def test_an_external_id_stands_for_the_view(scene: Scene) -> None:
    """A view is updated by its external id, and the same id is refused for a second open view."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(external_id="mine"))
    client(ws).views_update(external_id="mine", view=modal(title="B", external_id="mine"))
    assert form.title == "B"
    ben = ws.add_person("ben")
    answer = refusal(client(ws).views_open, trigger_id=_trigger(ben), view=modal(external_id="mine"))
    assert answer["error"] == "duplicate_external_id"


def test_what_was_typed_stays_under_the_same_ids(scene: Scene) -> None:
    """An update keeps a typed value and ignores the initial one; under a new block id the initial value counts."""
    ws, _, ana = scene
    form = opened(ws, ana, modal(text_input("Reason")))
    form.type("Reason", "typed")
    client(ws).views_update(view_id=form.id, view=modal(text_input("Reason", initial_value="initial")))
    assert form.value("Reason") == "typed"
    renamed = text_input("Reason", initial_value="initial") | {"block_id": "reason-2"}
    client(ws).views_update(view_id=form.id, view=modal(renamed))
    assert form.value("Reason") == "initial"


def test_an_empty_answer_closes_the_submitted_view(scene: Scene) -> None:
    """After an acknowledgement without a body the view is gone."""
    ws, _, ana = scene
    form = opened(ws, ana, modal())
    assert form.submit().outcome == "acked"
    assert not form.is_open


def test_an_answer_can_show_errors_next_to_fields(scene: Scene) -> None:
    """response_action errors keeps the view open with the sentence at its block and what was typed."""
    ws, app, ana = scene
    app.on["view_submission"] = lambda ack, body, client: ack(response_action="errors", errors={"reason": "Too short."})
    form = opened(ws, ana, modal(text_input("Reason")))
    form.type("Reason", "x")
    form.submit()
    assert (form.errors, form.value("Reason"), form.is_open) == ({"reason": "Too short."}, "x", True)
    assert "Too short." in form.texts()


def test_errors_for_a_block_that_does_not_exist_are_a_failure(scene: Scene) -> None:
    """An error for an unknown block is not shown; the person sees Slack's own failure."""
    ws, app, ana = scene
    app.on["view_submission"] = lambda ack, body, client: ack(response_action="errors", errors={"other": "No."})
    form = opened(ws, ana, modal(text_input("Reason")))
    form.type("Reason", "x")
    delivery = form.submit()
    assert "other" in (delivery.problem or "")
    assert (form.errors, form.is_open) == ({}, True)
    assert "trouble connecting" in ana.notices[-1]


def test_an_answer_can_update_push_or_clear(scene: Scene) -> None:
    """response_action update replaces the view under its id, push adds one, clear closes all."""
    ws, app, ana = scene
    answers: Iterator[dict[str, Any]] = iter(
        [
            {"response_action": "update", "view": modal(title="Second")},
            {"response_action": "push", "view": modal(title="Third")},
            {"response_action": "clear"},
        ]
    )
    app.on["view_submission"] = lambda ack, body, client: ack(**next(answers))
    form = opened(ws, ana, modal(title="First"))
    form.submit()
    assert (form.title, len(ana.modals)) == ("Second", 1)
    form.submit()
    assert [each.title for each in ana.modals] == ["Second", "Third"]
    ana.modals[-1].submit()
    assert ana.modals == []


def test_an_invalid_view_in_an_answer_is_a_failure(scene: Scene) -> None:
    """An answer whose view breaks a limit leaves the form as it was, with Slack's own failure."""
    ws, app, ana = scene
    app.on["view_submission"] = lambda ack, body, client: ack(response_action="update", view=modal(title="x" * 30))
    form = opened(ws, ana, modal(title="First"))
    assert "title" in (form.submit().problem or "")
    assert (form.title, len(ana.notices)) == ("First", 1)


def test_what_arrives_last_wins(scene: Scene) -> None:
    """A views.update that overtakes the answer to the submission is overwritten by that answer."""
    ws, app, ana = scene

    def overtake(ack: Any, body: Any, client: Any) -> None:
        client.views_update(view_id=body["view"]["id"], view=modal(title="Result"))
        ack(response_action="update", view=modal(title="Checking"))

    app.on["view_submission"] = overtake
    form = opened(ws, ana, modal(title="First"))
    form.submit()
    assert form.title == "Checking"


def test_a_submission_names_everything(scene: Scene) -> None:
    """A view_submission carries user, trigger, hash, metadata and the state by block and action id."""
    ws, _, ana = scene
    optional = text_input("Note") | {"optional": True}
    form = opened(ws, ana, modal(text_input("Reason"), optional, callback_id="ask", private_metadata="42"))
    form.type("Reason", "x")
    sent = form.submit().payload
    view = sent["view"]
    assert (sent["user"]["id"], view["callback_id"], view["private_metadata"]) == (ana.id, "ask", "42")
    assert view["state"]["values"] == {
        "reason": {"text": {"type": "plain_text_input", "value": "x"}},
        "note": {"text": {"type": "plain_text_input", "value": None}},
    }
    assert sent["trigger_id"]
    assert view["hash"]


def test_closing_is_told_only_on_request(scene: Scene) -> None:
    """view_closed is sent for a view with notify_on_close and for no other."""
    ws, _, ana = scene
    opened(ws, ana, modal()).close()
    assert "view_closed" not in [delivery.kind for delivery in ws.deliveries if delivery.user == ana.id]
    delivery = opened(ws, ana, modal(notify_on_close=True, callback_id="ask")).close()
    assert delivery is not None
    assert (delivery.kind, delivery.payload["view"]["callback_id"], delivery.outcome) == ("view_closed", "ask", "acked")


def test_a_home_tab_is_published_and_clicked(scene: Scene) -> None:
    """views.publish fills the home tab, and a click in it carries the view and no response_url."""
    ws, _, ana = scene
    button = {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "New"}}]}
    event = ana.open_home()
    assert event is not None
    assert event.payload["event"]["type"] == "app_home_opened"
    client(ws).views_publish(user_id=ana.id, view={"type": "home", "blocks": [button]})
    assert ana.home is not None
    payload = ana.home.click("New").payload
    assert payload["view"]["type"] == "home"
    assert "response_url" not in payload


def test_a_home_tab_is_replaced_only_where_the_hash_fits(scene: Scene) -> None:
    """Without a hash it is replaced; an old one, or any before something was published, is refused; so is a stranger."""
    ws, _, ana = scene
    home = {"type": "home", "blocks": []}
    slack = client(ws)
    assert refusal(lambda: slack.views_publish(user_id=ana.id, view=home, hash="1.0"))["error"] == "hash_conflict"
    first = slack.views_publish(user_id=ana.id, view=home)["view"]["hash"]
    second = slack.views_publish(user_id=ana.id, view=home, hash=first)["view"]["hash"]
    assert refusal(lambda: slack.views_publish(user_id=ana.id, view=home, hash=first))["error"] == "hash_conflict"
    assert slack.views_publish(user_id=ana.id, view=home)["view"]["hash"] not in (first, second)
    assert refusal(lambda: slack.views_publish(user_id="U0NOBODY", view=home))["error"] == "invalid_arguments"


def test_opening_a_tab_tells_which_and_what_is_there(scene: Scene) -> None:
    """The event names the tab, and brings along a home tab that was published before."""
    ws, _, ana = scene
    event = ana.open_home("messages")
    assert event is not None
    assert (event.payload["event"]["tab"], "view" in event.payload["event"]) == ("messages", False)
    client(ws).views_publish(user_id=ana.id, view={"type": "home", "blocks": [], "private_metadata": "here"})
    event = ana.open_home()
    assert event is not None
    assert event.payload["event"]["view"]["private_metadata"] == "here"
