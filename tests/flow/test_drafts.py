"""The way from the form to the request: closed modals, restarts, second thoughts, and what happens twice."""

from typing import Any

from bot.sandbox.slack.modal import Modal
from tests.flow.world import World

GOOD = "The check found nothing that stands in the way."
BAD = "The check found something that has to be changed first."
GONE = "This draft is no longer there"


def submit_and_close(world: World, form: Modal) -> None:
    """Close the modal while the check is still fetching the file."""
    world.slack.trouble.delay("files.info", 0.6, before=True)
    assert form.submit().outcome == "acked"
    assert form.title == "Checking"
    form.close()


def result(world: World, words: str) -> dict[str, Any]:
    """The direct message with the check's result."""
    world.wait_told(world.tess, words)
    world.slack.trouble.clear()
    return next(one for one in reversed(world.tess.dms()) if words in world.slack.read(one))


def continued(world: World, message: dict[str, Any], callback_id: str) -> Modal:
    assert world.tess.click(message, "continue_draft").outcome == "acked"
    return world.tess.wait_modal(callback_id=callback_id)


def hold_back_the_result(world: World, form: Modal) -> None:
    """Submit; Slack refuses the first repaint and wants half a minute of rest, so the result is there and not shown."""
    world.slack.trouble.fail("views.update", retry_after=30)
    form.submit()
    world.slack.wait_for(lambda: any(call.method == "views.update" and call.ok is False for call in world.slack.log))
    assert form.title == "Checking"


def test_a_closed_modal_gets_its_result_as_a_direct_message(world: World) -> None:
    """Whoever closed the modal finds the result in a direct message; Continue leads to the evidence and to the request."""
    submit_and_close(world, world.fill_trusted(world.open_form()))
    form = continued(world, result(world, GOOD), "confirm")
    assert "*Name on the PBX*: `corp-root-r1.crt`" in "\n".join(form.texts())
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) == 1)
    assert form.title == "Asked"
    card = world.cards()[0]
    world.approve(card)
    world.wait_thread(card, "now lists")


def test_a_closed_modal_gets_its_problems_as_a_direct_message(world: World) -> None:
    """Problems come by direct message, too; Continue opens the form with what was typed, and the file is replaced there."""
    submit_and_close(world, world.fill_trusted(world.open_form(), ("server.crt", world.leaf().cert_pem)))
    message = result(world, BAD)
    assert "[not_a_ca]" in world.slack.read(message)
    form = continued(world, message, "form")
    text = "\n".join(form.texts())
    assert "Received: `server.crt`" in text
    assert "[not_a_ca]" in text
    assert (form.value("pbx"), form.value("reason")) == ("hq", "The new provider's phones")
    form.attach("files", ("root.crt", world.root.cert_pem))
    assert world.check(form).view["callback_id"] == "confirm"
    assert "*Made from*: `root.crt`" in "\n".join(form.texts())


def test_the_received_file_is_kept_unless_it_is_replaced(world: World) -> None:
    """In the form shown again the file need not be chosen again, and Slack is not asked for it a second time."""
    form = world.check(world.fill_trusted(world.open_form()))
    form.click("change")
    world.slack.wait_for(lambda: form.view["callback_id"] == "form")
    assert "Received: `corp-root.crt`" in "\n".join(form.texts())
    assert form.value("files") == []
    form.type("reason", "Better said")
    form.pick("pbx", "branch")
    world.check(form)
    text = "\n".join(form.texts())
    assert "*Made from*: `corp-root.crt`" in text
    assert "> Better said" in text
    assert "#1 Trusted CA certificate for branch" in text
    assert world.slack_calls("files.info") == 1
    form.submit()
    world.slack.wait_for(lambda: len(world.cards(world.branch_channel)) == 1)
    assert world.cards(world.certs) == []


def test_a_restart_during_the_check_loses_nothing(world: World) -> None:
    """The bot goes while Slack would not give it the file; the next one finishes the check in the same modal."""
    world.slack.trouble.fail("files.info", status=503, times=100)
    form = world.fill_trusted(world.open_form())
    form.submit()
    world.slack.wait_for(lambda: world.slack_calls("files.info") > 0)
    world.stop()
    assert form.title == "Checking"
    world.slack.trouble.clear()
    world.start()
    world.slack.wait_for(lambda: form.view["callback_id"] == "confirm")
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) == 1)


def test_a_restart_during_the_check_writes_to_whoever_closed_the_modal(world: World) -> None:
    """With the modal closed meanwhile, the next bot's result is a direct message with Continue."""
    world.slack.trouble.fail("files.info", status=503, times=100)
    form = world.fill_trusted(world.open_form())
    form.submit()
    world.slack.wait_for(lambda: world.slack_calls("files.info") > 0)
    world.stop()
    form.close()
    world.slack.trouble.clear()
    world.start()
    continued(world, result(world, GOOD), "confirm")


def test_show_result_paints_what_there_is(world: World) -> None:
    """Where "Checking" seems to hang although the result is there, the button shows it."""
    form = world.fill_trusted(world.open_form())
    hold_back_the_result(world, form)
    assert form.click("Show result").outcome == "acked"
    world.slack.wait_for(lambda: form.view["callback_id"] == "confirm", timeout=3)


def test_a_draft_can_be_discarded(world: World) -> None:
    """Discard ends the draft: its message loses the buttons, and neither Continue nor an open modal makes a request of it."""
    submit_and_close(world, world.fill_trusted(world.open_form()))
    message = result(world, GOOD)
    form = continued(world, message, "confirm")
    assert world.tess.click(message, "discard_draft").outcome == "acked"
    world.wait_told(world.tess, "Discarded, with its files and credentials.")
    assert GOOD not in "\n".join(world.told(world.tess))
    form.submit()
    assert GONE in "\n".join(form.texts())
    form.close()
    world.tess.click(message, "continue_draft", as_seen=True)
    assert GONE in "\n".join(world.tess.wait_modal(callback_id="notice").texts())
    assert world.cards() == []


def test_a_forgotten_draft_is_wiped_after_an_hour(world: World) -> None:
    """A draft can be continued for an hour after its last change; then it is gone, and Continue says so."""
    submit_and_close(world, world.fill_trusted(world.open_form()))
    message = result(world, GOOD)
    world.clock.advance(minutes=50)
    continued(world, message, "confirm")
    world.clock.advance(minutes=11)
    for _ in range(100):  # the bot wipes it as soon as it looks at its agenda
        opened = world.slack_calls("views.open")
        world.tess.click(message, "continue_draft")
        world.slack.wait_for(lambda before=opened: world.slack_calls("views.open") > before)  # type: ignore[misc]
        shown = world.tess.wait_modal()
        if shown.title == "No longer there":
            break
    assert f"{GONE}: it was discarded, asked for already, or deleted an hour after its last change." in shown.texts()[1]


def test_a_submission_delivered_twice_makes_one_draft(world: World) -> None:
    """Slack may deliver twice; the number of the next request shows that there was one draft."""
    form = world.fill_trusted(world.open_form())
    sent = form.submit()
    again = world.slack.deliver_again(sent)
    assert again.outcome == "acked"
    world.slack.wait_for(lambda: form.view["callback_id"] == "confirm")
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) == 1)
    other = world.check(world.fill_trusted(world.open_form()))
    assert "#2 Trusted CA certificate for hq" in "\n".join(other.texts())


def test_a_confirmation_delivered_twice_makes_one_request(world: World) -> None:
    """Both answers say that it was asked for, and there is one card and one link to it."""
    form = world.check(world.fill_trusted(world.open_form()))
    sent = form.submit()
    again = world.slack.deliver_again(sent)
    assert (sent.ack or {})["view"]["callback_id"] == "asked"
    assert (again.ack or {})["view"]["callback_id"] == "asked"
    world.wait_told(world.tess, "You have asked for *#1")
    card = world.cards()[-1]
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert len(world.cards()) == 1
    assert len([text for text in world.told(world.tess) if "You have asked for" in text]) == 1


def test_an_evidence_that_was_changed_meanwhile_cannot_be_confirmed(world: World) -> None:
    """A modal that shows an older version of the draft confirms nothing."""
    submit_and_close(world, world.fill_trusted(world.open_form()))
    form = continued(world, result(world, GOOD), "confirm")
    stale = form.view
    form.click("change")
    world.slack.wait_for(lambda: form.view["callback_id"] == "form")
    form.type("reason", "Another reason")
    world.check(form)
    sent = form.submit()
    assert sent.payload["view"]["private_metadata"] != stale["private_metadata"]
    older = {
        **sent.payload,
        "trigger_id": "older",
        "view": {**sent.payload["view"], "private_metadata": stale["private_metadata"]},
    }
    sent.payload = older
    assert (world.slack.deliver_again(sent).ack or {})["view"]["callback_id"] == "notice"
    world.slack.wait_for(lambda: len(world.cards()) == 1)


def test_nobody_else_can_continue_a_draft(world: World) -> None:
    """A draft belongs to its requester: whoever else sends its button's value learns only that it is not there."""
    submit_and_close(world, world.fill_trusted(world.open_form()))
    message = result(world, GOOD)
    sent = world.tess.click(message, "continue_draft")
    world.tess.wait_modal(callback_id="confirm")
    trigger = world.carl.shortcut("pbx_cert").payload["trigger_id"]
    world.carl.wait_modal(callback_id="form").close()
    sent.payload = {**sent.payload, "trigger_id": trigger, "user": {**sent.payload["user"], "id": world.carl.id}}
    world.slack.deliver_again(sent)
    opened = [call for call in world.slack.log if call.method == "views.open" and "confirm" in repr(call.args)]
    assert len(opened) == 1
