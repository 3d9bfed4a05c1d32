"""What the PBX refuses reaches the thread in words that a telephone administrator understands, with the code, once."""

import pytest

from tests.flow.world import World

#: errcode, errmsg, what it means in words, and what to do.
REFUSALS = [
    (10001, "API NOT EXIST", "its firmware or edition has none for certificates", "Update the firmware"),
    (10005, "ACCESS DENIED", "our API access may not do this", "Integrations > API"),
    (40004, "FILE SIZE EXCEEDED", "the file is too large for it", "Ask again with the certificate"),
    (70087, "IP FORBIDDEN", "is not on its list of permitted ones", "Add the address to the IP restriction"),
    (70123, "API UNAVAILABLE", "its API is switched off or not available", "Switch it on at Integrations > API"),
    (99999, "SOMETHING NEW", "it gives a reason that the bot does not know", "Look at the PBX's own log"),
]
STEPS = [("certificate/list", "list its certificates"), ("certificate/upload", "take the file"),
         ("certificate/create", "add the certificate")]  # fmt: skip


@pytest.mark.parametrize(("errcode", "errmsg", "meaning", "advice"), REFUSALS, ids=[str(each[0]) for each in REFUSALS])
def test_a_refusal_is_told_in_words_with_its_code(world: World, errcode: int, errmsg: str, meaning: str, advice: str) -> None:
    """A refused certificate/create ends in failed: what happened, what it means, what to do, and the code, once."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse("certificate/create", errcode, errmsg)
    world.approve(card)
    line = world.wait_thread(card, "*failed*")[-1]
    assert "The PBX did not add the certificate" in line
    assert meaning in line
    assert advice in line
    assert line.count(f"{errcode} {errmsg}") == 1
    assert "@Tess Technician, @Ana Lead" in line
    assert meaning in world.wait_card(card, "failed")
    assert world.hq.count("certificate/create") == 1
    assert world.hq.certificates == []


@pytest.mark.parametrize(("path", "doing"), STEPS)
def test_a_refusal_says_at_which_step(world: World, path: str, doing: str) -> None:
    """Whichever call is refused, the thread names what the PBX did not do."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse(path, 10005, "ACCESS DENIED")
    world.approve(card)
    assert f"The PBX did not {doing}: our API access may not do this" in world.wait_thread(card, "*failed*")[-1]
    assert world.hq.certificates == []


def test_a_refused_check_stands_on_the_card(world: World) -> None:
    """A PBX that refuses its list at the check is unknown in the evidence, in words and with the code."""
    world.hq.trouble.refuse("certificate/list", 70123, "API UNAVAILABLE")
    card = world.ask(world.fill_trusted)
    assert "It is not known how many of the 20 trusted slots are used." in world.card(card)
    assert world.card(card).count("70123 API UNAVAILABLE") == 1


def test_a_duplicate_name_is_told_in_words(world: World) -> None:
    """Somebody added a file of that very name by hand: 40003 in words, and theirs is left alone."""
    card = world.ask(world.fill_trusted)
    theirs = world.hq.add_certificate("trusted", "corp-root-r1.crt")
    world.approve(card)
    line = world.wait_thread(card, "*failed*")[-1]
    assert "it already has one with this name" in line
    assert "Remove that one first, or ask again under another name." in line
    assert line.count("40003") == 1
    assert [one.id for one in world.hq.certificates] == [theirs]


def test_a_duplicate_domain_is_shown_before_and_told_after(world: World) -> None:
    """A domain that the PBX has applied for already stands on the card; approved all the same, 40003 is told in words."""
    theirs = world.hq.add_certificate("server", "pbx.example.com.pem", issue_to="pbx.example.com", ca_type="apply")
    card = world.ask(world.fill_apply)
    assert "Already on the PBX" in world.card(card)
    assert "pbx.example.com.pem (server, issued to pbx.example.com" in world.card(card)
    world.approve(card)
    line = world.wait_thread(card, "*failed*")[-1]
    assert "it already has one with this name" in line
    assert line.count("40003") == 1
    assert [one.id for one in world.hq.certificates] == [theirs]


def test_the_same_name_is_no_duplicate_under_our_mark(world: World) -> None:
    """A file of the original's name is shown as already there, and ours is added beside it."""
    world.hq.add_certificate("trusted", "corp-root.crt")
    card = world.ask(world.fill_trusted)
    assert "Already on the PBX" in world.card(card)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert [one.name for one in world.hq.certificates] == ["corp-root.crt", "corp-root-r1.crt"]


def test_what_was_asked_for_already_is_shown(world: World) -> None:
    """The same certificate asked for twice: the second card names the first request."""
    world.ask(world.fill_trusted)
    card = world.ask(world.fill_trusted)
    shown = world.card(card)
    assert "Already asked for" in shown
    assert "#1" in shown.partition("Already asked for")[2].splitlines()[0]


@pytest.mark.parametrize("errcode", [-2, 70082])
def test_a_passing_fault_of_a_reading_call_is_waited_for(world: World, errcode: int) -> None:
    """Faults that pass by themselves are told once and tried again until they have passed."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse("certificate/list", errcode, times=3)
    world.approve(card)
    world.wait_thread(card, "will try again by itself")
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=10)
    assert world.count_lines(card, "will try again by itself") == 1
    assert world.hq.count("certificate/create") == 1


def test_a_busy_pbx_gets_the_create_again(world: World) -> None:
    """70082 to certificate/create says that nothing happened: it is made again, and there is one certificate."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse("certificate/create", 70082, "OVERLOAD_TASK_RUNNING", times=2)
    world.approve(card)
    assert "a heavy task is running on it" in world.wait_thread(card, "will try again by itself")[-1]
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=10)
    assert world.hq.count("certificate/create") == 3
    assert len(world.hq.certificates) == 1
