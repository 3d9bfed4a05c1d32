"""Who may decide, what a decision needs, and how a request ends that is not carried out."""

from typing import Any

from bot.sandbox.slack import Person
from tests.flow.world import World


def nothing_was_done(world: World) -> bool:
    """The PBX was read and nothing else."""
    return not world.hq.certificates and not any(call.path.startswith("certificate/") and call.method == "POST"
                                                 for call in world.hq.calls)  # fmt: skip


def needing_two(quiet: World) -> World:
    quiet.pbx_lines = "approvals = 2"
    return quiet.start()


def refused(world: World, person: Person, card: dict[str, Any], words: str) -> str:
    """Click Approve, and be told privately why not; nobody else hears of it."""
    assert person.click(card, "approve").outcome == "acked"
    told = world.wait_told(person, words)
    others = {world.tess, world.ana, world.ben, world.carl} - {person}
    assert not any(words in line for other in others for line in world.told(other))
    assert not world.count_lines(card, words)
    return told


def test_one_approval_is_enough_by_default(world: World) -> None:
    """Where nothing else is configured, one approver's click approves, and card and thread say whose it was."""
    card = world.ask(world.fill_trusted)
    assert "0 of 1 approvals" in world.card(card)
    world.approve(card, world.ben)
    lines = world.wait_thread(card, "now lists")
    assert "@Ben Lead approved it: 1 of 1 approvals." in lines[0]
    assert "Approved by @Ben Lead." in world.wait_card(card, "done")
    assert len(world.hq.certificates) == 1


def test_the_requester_cannot_approve_their_own_request(quiet: World) -> None:
    """A requester whom the policy names as an approver is refused privately, and their click is not counted."""
    quiet.approvers = (quiet.tess.id, quiet.ana.id, quiet.ben.id)
    world = needing_two(quiet)
    card = world.ask(world.fill_trusted)
    refused(world, world.tess, card, "You asked for this yourself, so somebody else has to decide it.")
    world.approve(card, world.ana)
    assert "1 of 2 approvals, from @Ana Lead" in world.wait_card(card, "1 of 2")
    assert nothing_was_done(world)
    world.verify_chain()


def test_a_group_does_not_make_the_requester_an_approver(quiet: World) -> None:
    """A requester who is in the approving group is refused, and not even a membership is asked for."""
    group = quiet.slack.add_group("everybody", [quiet.tess, quiet.ana])
    quiet.approvers = (group,)
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    refused(world, world.tess, card, "You asked for this yourself")
    assert nothing_was_done(world)
    world.approve(card, world.ana)
    world.wait_thread(card, "now lists")


def test_who_is_not_named_is_refused(world: World) -> None:
    """A colleague who is no approver is told who is, and nothing happens."""
    card = world.ask(world.fill_trusted)
    told = refused(world, world.carl, card, "You may not decide requests for hq")
    assert "@Ana Lead or @Ben Lead may" in told
    assert "pending" in world.card(card)
    assert nothing_was_done(world)


def test_a_rejection_needs_and_tells_a_reason(world: World) -> None:
    """Reject asks why; the reason stands in the thread, the requester is mentioned, and nothing is done."""
    card = world.ask(world.fill_trusted)
    world.ana.click(card, "reject")
    modal = world.ana.wait_modal(callback_id="reject")
    assert modal.submit().outcome == "refused by client"
    modal.type("reason", "   ")
    modal.submit()
    assert modal.is_open
    modal.type("reason", "Use the new root <!channel> & not this one")
    assert modal.submit().outcome == "acked"
    line = world.wait_thread(card, "rejected")[-1]
    assert "*rejected* by @Ana Lead" in line
    assert "@Tess Technician" in line
    assert "> Use the new root <!channel> & not this one" in line
    raw = world.line_message(card, "rejected")["blocks"][0]["text"]["text"]
    assert "&lt;!channel&gt;" in raw, "what was typed must not mention anybody"
    assert "[Approve]" not in world.wait_card(card, "rejected")
    assert "Use the new root" in world.card(card)
    assert nothing_was_done(world)
    world.verify_chain()


def test_who_is_not_named_cannot_reject_either(world: World) -> None:
    """A rejection by somebody who is no approver is refused by direct message, and the request stays open."""
    card = world.ask(world.fill_trusted)
    world.reject(card, "I do not like it", world.carl)
    world.wait_told(world.carl, "You may not decide requests for hq")
    assert "pending" in world.card(card)
    world.approve(card)
    world.wait_thread(card, "now lists")


def test_a_requester_cannot_reject_but_withdraw(world: World) -> None:
    """The requester's rejection does not count; withdrawing ends the request at once and says so."""
    card = world.ask(world.fill_trusted)
    world.reject(card, "Changed my mind", world.tess)
    world.wait_told(world.tess, "You asked for this yourself")
    assert "pending" in world.card(card)
    assert world.tess.click(card, "withdraw").outcome == "acked"
    assert "*withdrawn* by @Tess Technician" in world.wait_thread(card, "withdrawn")[-1]
    assert "[Approve]" not in world.wait_card(card, "withdrawn")
    assert nothing_was_done(world)
    world.verify_chain()


def test_nobody_else_can_withdraw(world: World) -> None:
    """An approver who presses Withdraw is told privately that only the requester can."""
    card = world.ask(world.fill_trusted)
    world.ana.click(card, "withdraw")
    world.wait_told(world.ana, "Only @Tess Technician can withdraw this")
    assert "pending" in world.card(card)
    assert world.thread(card) == []


def test_an_undecided_request_expires(world: World) -> None:
    """After pending_for the thread and the card say that it expired, the requester is mentioned, and nothing was done."""
    card = world.ask(world.fill_trusted)
    world.clock.advance(hours=7, minutes=55)
    world.reject(card, "no approver, so this changes nothing", world.carl)
    world.wait_told(world.carl, "You may not")
    assert "pending" in world.card(card)
    world.clock.advance(minutes=6)
    line = world.wait_thread(card, "expired")[-1]
    assert "@Tess Technician" in line
    assert "[Approve]" not in world.wait_card(card, "expired")
    assert nothing_was_done(world)
    world.verify_chain()


def test_a_click_after_the_end_of_time_changes_nothing(world: World) -> None:
    """An approval that comes when the request has expired is refused, whatever the clicker's screen still shows."""
    card = world.ask(world.fill_trusted)
    world.clock.advance(hours=8, minutes=1)
    world.ana.click(card, "approve", as_seen=True)
    world.wait_told(world.ana, "is not open any more; your click changed nothing")
    world.wait_card(card, "expired")
    assert nothing_was_done(world)


def test_two_approvals_are_two_people(quiet: World) -> None:
    """With approvals = 2 the same person twice counts once and is told so; the second person completes it."""
    world = needing_two(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2 approvals, from @Ana Lead")
    world.approve(card, world.ana)
    world.wait_told(world.ana, "Your vote for this was counted already.")
    assert "pending" in world.card(card)
    assert nothing_was_done(world)
    world.approve(card, world.ben)
    lines = world.wait_thread(card, "now lists")
    assert [line for line in lines if "approved it" in line] == [
        "👍 @Ana Lead approved it: 1 of 2 approvals.",
        "👍 @Ben Lead approved it: 2 of 2 approvals.",
    ]
    assert "@Tess Technician" in lines[-1]
    assert "@Ana Lead, @Ben Lead" in lines[-1]
    assert len(world.hq.certificates) == 1


def test_one_rejection_outweighs_an_approval(quiet: World) -> None:
    """With approvals = 2, one approval and one rejection end in rejected."""
    world = needing_two(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2")
    world.reject(card, "The wrong provider", world.ben)
    assert "*rejected* by @Ben Lead" in world.wait_thread(card, "rejected")[-1]
    assert nothing_was_done(world)
