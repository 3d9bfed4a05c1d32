"""A request that waits for its approvals is changed: a new version, votes start again, and old buttons do not count."""

from typing import Any

import pytest

from bot.sandbox.slack import Person
from bot.sandbox.slack.modal import Modal
from bot.store import audit, ledger
from bot.store.tables import SecretRow
from tests.flow.homes import settled, text
from tests.flow.test_cli import Call
from tests.flow.test_cli import call as call
from tests.flow.world import World

Card = dict[str, Any]


def edit(world: World, card: Card, person: Person | None = None) -> Modal:
    """The requester presses Edit, and the form opens with everything filled in."""
    assert (person or world.tess).click(now(world, card), "edit").outcome == "acked"
    return (person or world.tess).wait_modal(callback_id="form")


def now(world: World, card: Card) -> Card:
    """The card as it is painted now."""
    return next(each for each in world.cards() if each["ts"] == card["ts"])


def confirm(world: World, form: Modal) -> Modal:
    assert form.view["callback_id"] == "confirm", form.texts()
    assert form.submit().outcome == "acked"
    return form


def change(world: World, card: Card, reason: str = "The second thought") -> Modal:
    """The whole way, to the end of it."""
    form = edit(world, card)
    form.type("reason", reason)
    return confirm(world, world.check(form))


def refusals(world: World) -> list[dict[str, Any]]:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        events = audit.events_of(session, 1)
    return [{"actor": event.actor, **event.data} for event in events if event.kind == "refused"]


def kept(world: World) -> set[tuple[int, str]]:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        return {(row.request, row.name) for row in session.query(SecretRow)}


def test_a_changed_request_is_approved_as_it_is_now(world: World) -> None:
    """Edit, another reason, confirmed: the same card shows it, the thread says what is different, and it is done once."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    assert form.title == "Change #1"
    assert (form.value("pbx"), form.value("reason")) == ("hq", "The new provider's phones")
    assert "Received: `corp-root.crt`" in "\n".join(form.texts())
    form.type("reason", "The second thought")
    world.check(form)
    said = "\n".join(form.texts())
    assert "#1 Trusted CA certificate for hq (change)" in said
    assert "The reason is “The second thought” now; it was “The new provider's phones”." in said
    confirm(world, form)
    assert form.title == "Changed"
    lines = world.wait_thread(card, "*edited* by @Tess Technician")
    assert "• The reason is “The second thought” now; it was “The new provider's phones”." in lines[-1]
    assert "> The second thought" in world.wait_card(card, "The second thought")
    assert len(world.cards()) == 1
    assert world.slack_calls("files.info") == 1, "nothing is fetched again"
    world.approve(now(world, card))
    world.wait_thread(card, "now lists `corp-root-r1.crt`")
    assert [one.name for one in world.hq.certificates] == ["corp-root-r1.crt"]
    assert kept(world) == set()
    world.verify_chain()


def needing_two(quiet: World) -> World:
    quiet.pbx_lines = "approvals = 2"
    return quiet.start()


def test_votes_start_again_and_old_buttons_show_the_difference(quiet: World) -> None:
    """Who had voted is mentioned, an old button is refused privately with what is different, and both have to vote anew."""
    world = needing_two(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2 approvals, from @Ana Lead")
    change(world, now(world, card))
    line = world.wait_thread(card, "*edited*")[-1]
    assert "@Ana Lead: please look again" in line
    assert "Votes start again." in line
    world.wait_card(card, "0 of 2 approvals")
    assert world.ben.click(card, "approve", as_seen=True).outcome == "acked"
    told = world.wait_told(world.ben, "has changed since it was shown to you, so your click was not counted")
    assert "• The reason is “The second thought” now; it was “The new provider's phones”." in told
    assert not any("not counted" in line for line in world.thread(card))
    assert "0 of 2 approvals" in world.card(card)
    (refusal,) = refusals(world)
    assert (refusal["actor"], refusal["code"], len(refusal["changes"])) == (world.ben.id, "changed", 1)
    for person in (world.ana, world.ben):
        world.approve(now(world, card), person)
    world.wait_thread(card, "now lists")
    assert world.hq.count("certificate/create") == 1
    world.verify_chain()


def test_an_old_rejection_is_refused_before_a_reason_is_typed(world: World) -> None:
    """Reject on an older version opens no window: what is different is said at once."""
    card = world.ask(world.fill_trusted)
    change(world, card)
    world.wait_thread(card, "*edited*")
    world.ana.click(card, "reject", as_seen=True)
    world.wait_told(world.ana, "The reason is “The second thought” now")
    assert not world.ana.modals
    assert "pending" in world.card(card)


def test_an_old_button_under_a_rule_that_wants_a_comment(quiet: World) -> None:
    """The difference comes before the comment: nobody writes one for what is not asked for any more."""
    quiet.policy_lines = f'[[policy]]\nall = [{{ of = ["{quiet.ana.id}"] }}]\ncomment = true'
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    change(world, card)
    world.wait_thread(card, "*edited*")
    world.ana.click(card, "approve", as_seen=True)
    world.wait_told(world.ana, "The reason is “The second thought” now")
    assert not world.ana.modals
    world.approve(now(world, card))
    assert world.ana.wait_modal(callback_id="approve").is_open


def test_whoever_may_not_decide_is_told_that_first(world: World) -> None:
    """An old button in the hand of somebody who is no approver is refused for that."""
    card = world.ask(world.fill_trusted)
    change(world, card)
    world.wait_thread(card, "*edited*")
    world.carl.click(card, "approve", as_seen=True)
    world.wait_told(world.carl, "You may not decide requests for hq")


def test_nobody_else_can_change_it(world: World) -> None:
    """Whoever else presses Edit is told privately that only the requester can, and that is an event."""
    card = world.ask(world.fill_trusted)
    for person in (world.ana, world.carl):
        assert person.click(card, "edit").outcome == "acked"
        world.wait_told(person, "Only @Tess Technician can change #1.")
        assert not person.modals
    assert [(each["actor"], each["verdict"], each["code"]) for each in refusals(world)] == [
        (world.ana.id, "edit", "not_requester"),
        (world.carl.id, "edit", "not_requester"),
    ]
    assert world.thread(card) == []


def test_the_pbx_stays(world: World) -> None:
    """Another PBX is refused next to its field, with what to do instead; chosen back, everything goes on."""
    form = edit(world, world.ask(world.fill_trusted))
    form.type("reason", "For the branch, please")
    form.pick("pbx", "branch")
    form.submit()
    (told,) = form.errors.values()
    assert told == (
        "The PBX of a request cannot be changed. Choose hq again; for another PBX withdraw #1, and ask anew from its card."
        " [pbx_fixed]"
    )
    form.pick("pbx", "hq")
    assert form.value("reason") == "For the branch, please"
    assert confirm(world, world.check(form)).title == "Changed"


def test_other_files_take_the_place_of_the_first(world: World) -> None:
    """A replaced file brings its own fingerprint and names, and reaches the PBX under the request's number."""
    first, second = world.leaf("pbx.example.com"), world.leaf("new.example.com")
    card = world.ask(world.fill_import, issued=first)
    form = edit(world, card)
    form.attach("files", ("new.pem", second.bundle_pem))
    confirm(world, world.check(form))
    told = world.wait_thread(card, "*edited*")[-1]
    for words in ("The certificate's SHA-256 is", "The names (SAN): “new.example.com” is new; “pbx.example.com” is gone."):
        assert words in told
    world.wait_card(card, "new-r1.pem")
    world.approve(now(world, card))
    world.wait_thread(card, "now lists `new-r1.pem`")
    assert world.hq.certificates[0].key.strip() == second.key_pem.strip()
    assert kept(world) == set()


def test_a_private_key_needs_no_second_upload(world: World) -> None:
    """Only the reason is changed: the file with the key comes from the vault, even if it was deleted from Slack meanwhile."""
    leaf = world.leaf()
    card = world.ask(world.fill_import, issued=leaf)
    assert world.bot is not None
    with world.bot.store.begin() as session:
        request = ledger.load(session, 1)
    assert request is not None
    world.tess.delete_file(request.ask.files[0].id)
    change(world, card)
    world.wait_thread(card, "*edited*")
    world.approve(now(world, card))
    world.wait_thread(card, "now lists `pbx-r1.pem`")
    assert world.hq.certificates[0].key.strip() == leaf.key_pem.strip()


def typed(world: World, form: Modal, **params: str) -> Modal:
    world.fill_apply(form)
    form.choose("dns", "Type the credentials here")
    world.slack.wait_for(lambda: "DNS provider" in form.field_labels())
    form.pick("provider", "alidns")
    for key, value in params.items():
        world.slack.wait_for(lambda wanted=key: wanted in form.field_labels())  # type: ignore[misc]
        form.type(key, value)
    return form


@pytest.fixture
def typing(quiet: World) -> World:
    """Where credentials may be typed."""
    quiet.slack_lines = "allow_typed_dns_credentials = true"
    return quiet.start()


def test_typed_credentials_are_kept_and_one_of_them_is_replaced(typing: World) -> None:
    """What was typed is kept until it is replaced; that it has another value is said, and only the PBX learns which."""
    world = typing
    card = world.ask(lambda form: typed(world, form, AccessKeyId="LTAI-1", AccessKeySecret="secret-one-93c1"))
    form = edit(world, card)
    assert "AccessKeySecret: (kept; type to replace)" in "\n".join(form.texts())
    form.type("AccessKeySecret", "secret-two-77f0")
    confirm(world, world.check(form))
    told = world.wait_thread(card, "*edited*")[-1]
    assert "• The DNS credentials have other values." in told
    world.tess.command("/pbx-cert", "status 1", world.certs)
    world.ana.click(card, "approve", as_seen=True)
    world.wait_told(world.ana, "The DNS credentials have other values.")
    world.approve(now(world, card))
    world.let_it_be_issued()
    world.wait_thread(card, "now lists")
    given = {each["k"]: each.get("sv") for each in world.hq.certificates[0].dns.auth_info_list}  # type: ignore[union-attr]
    assert (given["AccessKeyId"], given["AccessKeySecret"]) == ("LTAI-1", "secret-two-77f0")
    assert kept(world) == set()
    assert "secret-two" not in repr([call.args for call in world.slack.log])


def test_the_kind_can_be_changed(world: World) -> None:
    """An import becomes an application by the PBX; the secrets that are not needed any more are gone at once."""
    card = world.ask(world.fill_import)
    form = edit(world, card)
    form.choose("kind", "apply")
    world.slack.wait_for(lambda: "Domain" in form.field_labels())
    form.type("domain", "pbx.example.com")
    form.choose("dns", "corp")
    confirm(world, world.check(form))
    assert "The kind is “apply” now; it was “import”." in world.wait_thread(card, "*edited*")[-1]
    assert {name for number, name in kept(world) if number == 1 and name in ("bundle", "dns")} == {"dns"}
    world.approve(now(world, card))
    world.let_it_be_issued()
    world.wait_thread(card, "now lists")


def test_nothing_different_is_nothing_to_confirm(world: World) -> None:
    """Who changes nothing is told so in the form; no vote is lost for it."""
    card = world.ask(world.fill_trusted)
    form = world.check(edit(world, card))
    assert form.view["callback_id"] == "form"
    assert "This is what #1 asks for already" in "\n".join(form.texts())
    form.type("reason", "Something")
    assert confirm(world, world.check(form)).title == "Changed"


def test_a_confirmed_change_delivered_twice_is_one(world: World) -> None:
    """Slack delivers the confirmation again: one version, one line, and the same answer."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    form.type("reason", "Only once")
    world.check(form)
    sent = form.submit()
    again = world.slack.deliver_again(sent)
    assert [(each.ack or {})["view"]["title"]["text"] for each in (sent, again)] == ["Changed", "Changed"]
    world.wait_thread(card, "*edited*")
    world.approve(now(world, card))
    world.wait_thread(card, "now lists")
    assert world.count_lines(card, "*edited*") == 1


def test_a_closed_window_continues_by_direct_message(world: World) -> None:
    """The check's result of a change comes by direct message under the request's own number, and goes on from there."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    form.type("reason", "Said from the message")
    world.slack.trouble.delay("views.update", 0.5, before=True)
    form.submit()
    form.close()
    world.slack.trouble.clear()
    world.wait_told(world.tess, "#1 Trusted CA certificate for hq (change)")
    message = world.tess.dms()[-1]
    world.tess.click(message, "continue_draft")
    confirm(world, world.tess.wait_modal(callback_id="confirm"))
    world.wait_thread(card, "*edited*")


def test_a_change_sets_the_time_anew(world: World) -> None:
    """A changed request is open as long as a new one, and expires then."""
    card = world.ask(world.fill_trusted)
    world.clock.advance(hours=7, minutes=50)
    change(world, card)
    world.wait_thread(card, "*edited*")
    world.clock.advance(hours=7, minutes=50)
    world.carl.click(now(world, card), "approve")
    world.wait_told(world.carl, "You may not")
    assert "pending" in world.card(card)
    world.clock.advance(minutes=11)
    world.wait_thread(card, "*expired*")
    assert kept(world) == set()


def test_a_change_that_comes_too_late_becomes_a_new_request(world: World) -> None:
    """Approved while the evidence was on the screen: nothing of the change happens, and it goes on as a new request."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    form.type("reason", "A better idea")
    world.check(form)
    world.approve(card)
    world.wait_thread(card, "now lists")
    form.submit()
    assert form.title == "Not changed"
    said = "\n".join(form.texts())
    assert "#1 was not changed." in said
    assert "@Ana Lead approved this" in said
    assert world.count_lines(card, "*edited*") == 0
    form.click("change")
    world.slack.wait_for(lambda: form.view["callback_id"] == "form")
    assert "Asked anew after #1" in "\n".join(form.texts())
    assert form.value("reason") == "A better idea"
    confirm(world, world.check(form))
    world.slack.wait_for(lambda: len(world.cards()) == 2)
    assert "Asked anew after #1." in world.card(world.cards()[-1])
    world.verify_chain()


@pytest.mark.parametrize("end", ["reject", "withdraw", "expire"])
def test_a_form_whose_request_has_ended(world: World, end: str) -> None:
    """Rejected, withdrawn or expired while the form was open: the next press says so, keeps what was typed, and asks anew."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    form.type("reason", "Typed for nothing?")
    if end == "reject":
        world.reject(card, "Not this one")
    elif end == "withdraw":
        world.tess.click(card, "withdraw")
    else:
        world.clock.advance(hours=8, minutes=1)
    word = {"reject": "rejected", "withdraw": "withdrawn", "expire": "expired"}[end]
    world.wait_card(card, word)
    form.submit()
    told = "\n".join(form.texts())
    assert "#1" in told
    assert "cannot be changed. Nothing that you typed is lost" in told
    assert form.value("reason") == "Typed for nothing?"
    confirm(world, world.check(form))
    world.slack.wait_for(lambda: len(world.cards()) == 2)
    assert "Typed for nothing?" in world.card(world.cards()[-1])
    assert world.count_lines(card, "*edited*") == 0


def closed(world: World, form: Modal) -> Card:
    """Submit it and close the window while it is checked; returns the message with the result."""
    before = len(world.tess.dms())
    world.slack.trouble.delay("files.info", 0.3, before=True)
    world.slack.trouble.delay("views.update", 0.3, before=True)
    form.submit()
    form.close()
    world.slack.trouble.clear()
    return world.slack.wait_for(lambda: world.tess.dms()[before:])[0]


def test_of_two_windows_the_second_is_told_of_the_first(world: World) -> None:
    """Changed in another window meanwhile: whoever continues sees what was changed there, and goes on upon that."""
    card = world.ask(world.fill_trusted)
    first = edit(world, card)
    first.type("reason", "From the first window")
    message = closed(world, first)
    change(world, card, "From the second window")
    world.wait_thread(card, "From the second window")
    world.tess.click(message, "continue_draft")
    form = world.tess.wait_modal(callback_id="form")
    told = "\n".join(form.texts())
    assert "#1 was changed in another window meanwhile. The reason is “From the second window” now" in told
    assert form.value("reason") == "From the first window"
    confirm(world, world.check(form))
    line = world.wait_thread(card, "now; it was “From the second window”")[-1]
    assert "The reason is “From the first window” now; it was “From the second window”." in line
    assert len(world.cards()) == 1


def test_two_windows_that_are_confirmed_one_after_the_other(world: World) -> None:
    """The second confirmation changes nothing and says what the first one did; its draft is kept."""
    card = world.ask(world.fill_trusted)
    first = edit(world, card)
    first.type("reason", "From the first window")
    seen_first = world.check(first).view["private_metadata"]
    form = edit(world, card)
    form.type("reason", "From the second window")
    sent = world.check(form).submit()
    world.wait_thread(card, "From the second window")
    view = {**sent.payload["view"], "private_metadata": seen_first}
    sent.payload = {**sent.payload, "trigger_id": "of the first window", "view": view}
    answer = (world.slack.deliver_again(sent).ack or {})["view"]
    assert answer["title"]["text"] == "Not changed"
    assert "The reason is “From the second window” now" in world.slack.read(answer)
    assert world.count_lines(card, "*edited*") == 1
    assert {number for number, _ in kept(world)} == {1, 2}


def test_a_restart_between_form_and_confirmation(world: World) -> None:
    """The bot goes and comes while somebody changes a request; the change is confirmed to the next one."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    form.type("reason", "After the restart")
    world.check(form)
    world.restart()
    confirm(world, form)
    world.wait_thread(card, "*edited*")
    world.approve(now(world, card))
    world.wait_thread(card, "now lists `corp-root-r1.crt`")


def test_a_discarded_change_changes_nothing(world: World) -> None:
    """Discard, or an hour, ends the draft with its secrets, and the request stays as it is."""
    card = world.ask(world.fill_trusted)
    form = edit(world, card)
    form.type("reason", "Never mind")
    world.check(form)
    assert {number for number, _ in kept(world)} == {1, 2}
    form.close()
    world.clock.advance(minutes=61)
    world.slack.wait_for(lambda: {number for number, _ in kept(world)} == {1})
    assert "0 of 1 approvals" in world.card(card)
    world.tess.command("/pbx-cert", "status 2", world.certs)
    world.wait_told(world.tess, "There is no request #2.")


def test_what_became_of_a_change_is_no_request_of_its_own(world: World) -> None:
    """The draft's number means nothing to anybody: status and why know it not."""
    card = world.ask(world.fill_trusted)
    change(world, card)
    world.wait_thread(card, "*edited*")
    for word in ("status", "why"):
        before = len(world.told(world.tess))
        world.tess.command("/pbx-cert", f"{word} 2", world.certs)
        world.slack.wait_for(lambda: "There is no request #2." in "".join(world.told(world.tess)[before:]))  # noqa: B023
    assert world.bot is not None
    with world.bot.store.begin() as session:
        assert ledger.unended(session) == 1


def test_what_is_not_open_cannot_be_changed(world: World) -> None:
    """Edit on a card as it was before the decision says that it is not open any more."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.tess.click(card, "edit", as_seen=True)
    world.wait_told(world.tess, "#1 is not open any more, so it cannot be changed.")
    assert [modal.title for modal in world.tess.modals] == ["Asked"]


def test_from_the_home_tab(world: World) -> None:
    """Edit stands in the requester's home tab while it is open, and Ask anew once it came to nothing."""
    card = world.ask(world.fill_trusted)
    home = settled(world, world.tess)
    assert home.click("Edit").outcome == "acked"
    form = world.tess.wait_modal(callback_id="form")
    assert form.title == "Change #1"
    form.type("reason", "Changed from home")
    confirm(world, world.check(form))
    world.wait_thread(card, "*edited*")
    world.tess.click(now(world, card), "withdraw")
    world.wait_card(card, "withdrawn")
    assert settled(world, world.tess).click("Ask anew").outcome == "acked"
    form = world.tess.wait_modal(callback_id="form")
    assert form.value("reason") == "Changed from home"
    form.close()
    assert "Edit" not in text(settled(world, world.ana))


def test_an_auditor_can_check_every_version(call: Call) -> None:
    """A changed request's bundle holds each version with the event that bound it, and checks without the database."""
    world = call.world.start()
    card = world.ask(world.fill_trusted)
    change(world, card)
    world.wait_thread(card, "*edited*")
    world.approve(now(world, card))
    world.wait_thread(card, "now lists")
    world.stop()
    file = world.folder / "bundle.json"
    assert call("audit", "bundle", "1", str(file))[0] == 0
    code, said = call("audit", "check", str(file))
    assert code == 0, said
    assert "ok    version 1: " in said
    assert "ok    version 2: " in said
