"""Clicks that meet: two leads at once, an outdated card, the same delivery twice."""

import re
import threading
from collections.abc import Callable

from bot.sandbox.slack.records import Delivery
from tests.flow.world import World


def at_once(*acts: Callable[[], Delivery]) -> list[Delivery]:
    """Do all of it in the same moment, each in a thread of its own."""
    together = threading.Barrier(len(acts))
    done: list[Delivery] = []

    def act(one: Callable[[], Delivery]) -> None:
        together.wait()
        done.append(one())

    threads = [threading.Thread(target=act, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_of_two_leads_at_once_one_decides(world: World) -> None:
    """Two leads click in the same moment: one execution, and the loser is told privately who approved and when."""
    card = world.ask(world.fill_trusted)
    clicks = at_once(lambda: world.ana.click(card, "approve"), lambda: world.ben.click(card, "approve"))
    assert [click.outcome for click in clicks] == ["acked", "acked"]
    lines = world.wait_thread(card, "now lists")
    winner, loser = (world.ana, world.ben) if "@Ana Lead approved" in lines[0] else (world.ben, world.ana)
    told = world.wait_told(loser, "approved this")
    assert re.search(rf"@{winner.name} approved this \d+ s ago\.", told)
    assert not any("approved this" in line for line in world.told(winner))
    assert sum("approved it" in line for line in lines) == 1
    assert world.hq.count("certificate/create") == 1
    world.verify_chain()


def test_of_an_approval_and_a_rejection_at_once_one_decides(world: World) -> None:
    """Approve and Reject in the same moment: exactly one counts, and the other one's person is told."""
    card = world.ask(world.fill_trusted)
    world.ben.click(card, "reject")
    modal = world.ben.wait_modal(callback_id="reject")
    modal.type("reason", "Not this one")
    at_once(lambda: world.ana.click(card, "approve"), modal.submit)
    world.slack.wait_for(lambda: "now lists" in " ".join(world.thread(card)) or world.count_lines(card, "*rejected*"))
    approved = world.hq.count("certificate/create") == 1
    loser, words = (world.ben, "@Ana Lead approved this") if approved else (world.ana, "@Ben Lead rejected this")
    world.wait_told(loser, words)
    assert world.count_lines(card, "*rejected*") == (0 if approved else 1)
    assert world.count_lines(card, "now lists") == (1 if approved else 0)
    world.verify_chain()


def test_of_an_approval_and_a_withdrawal_at_once_one_decides(world: World) -> None:
    """Approve and Withdraw in the same moment: it is withdrawn or done, never both, and who came too late is told."""
    card = world.ask(world.fill_trusted)
    at_once(lambda: world.ana.click(card, "approve"), lambda: world.tess.click(card, "withdraw"))
    world.slack.wait_for(lambda: "now lists" in " ".join(world.thread(card)) or world.count_lines(card, "*withdrawn*"))
    if world.count_lines(card, "*withdrawn*"):
        if not world.count_lines(card, "approved it"):  # if it was, it was taken back before the bot began
            world.wait_told(world.ana, "is not open any more; your click changed nothing")
        assert world.hq.count("certificate/create") == 0
    else:
        world.wait_told(world.tess, "nothing to withdraw")
        assert world.hq.count("certificate/create") == 1
    world.verify_chain()


def test_a_click_on_an_outdated_card_is_told_who_approved(world: World) -> None:
    """A lead whose screen still shows the buttons after the decision is told who approved; nothing happens again."""
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    world.clock.advance(minutes=5)
    world.ben.click(card, "approve", as_seen=True)
    world.wait_told(world.ben, "@Ana Lead approved this 5 min ago.")
    world.tess.click(card, "withdraw", as_seen=True)
    world.wait_told(world.tess, "is not open any more, so there is nothing to withdraw.")
    assert world.hq.count("certificate/create") == 1
    assert world.count_lines(card, "approved it") == 1


def test_a_click_on_a_rejected_card_is_told_who_rejected(world: World) -> None:
    """An approval after a rejection is refused with the name of who rejected."""
    card = world.ask(world.fill_trusted)
    world.reject(card, "Not now", world.ana)
    world.wait_card(card, "rejected")
    world.ben.click(card, "approve", as_seen=True)
    world.wait_told(world.ben, "@Ana Lead rejected this")
    assert world.hq.count("certificate/upload") == 0


def test_a_click_delivered_twice_is_one_click(quiet: World) -> None:
    """The same click delivered twice is one vote, and its person is not told off for the second."""
    quiet.pbx_lines = "approvals = 2"
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    click = world.approve(card, world.ana)
    assert world.slack.deliver_again(click).outcome == "acked"
    world.wait_card(card, "1 of 2 approvals, from @Ana Lead")
    world.approve(card, world.ben)
    lines = world.wait_thread(card, "now lists")
    assert sum("approved it" in line for line in lines) == 2
    assert not any("counted already" in line for line in world.told(world.ana))
    assert world.hq.count("certificate/create") == 1


def test_a_rejection_delivered_twice_is_one_rejection(world: World) -> None:
    """The same rejection delivered twice makes one line and no complaint."""
    card = world.ask(world.fill_trusted)
    rejection = world.reject(card, "Not this one")
    world.wait_thread(card, "*rejected*")
    assert world.slack.deliver_again(rejection).outcome == "acked"
    world.ben.click(card, "approve", as_seen=True)
    world.wait_told(world.ben, "@Ana Lead rejected this")
    assert world.count_lines(card, "*rejected*") == 1
    assert not any("rejected this" in line for line in world.told(world.ana))


def test_a_withdrawal_delivered_twice_is_one_withdrawal(world: World) -> None:
    """The same withdrawal delivered twice ends the request once."""
    card = world.ask(world.fill_trusted)
    withdrawal = world.tess.click(card, "withdraw")
    world.wait_thread(card, "*withdrawn*")
    assert world.slack.deliver_again(withdrawal).outcome == "acked"
    world.wait_card(card, "withdrawn")
    assert world.count_lines(card, "*withdrawn*") == 1
    world.verify_chain()
