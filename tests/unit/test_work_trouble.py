"""What each error of a PBX means for the request in hand: every code of the vendor's table has its course."""

from datetime import timedelta

import pytest

from bot.exceptions import (
    PbxBadAnswer,
    PbxError,
    PbxFateUnknown,
    PbxLoginRefused,
    PbxLoginStopped,
    PbxTokenCap,
    PbxUnreachable,
)
from bot.pbx.errors import refused
from bot.work.trouble import PATIENCE, PAUSE, Course, for_creating, for_reading, sentence

#: errcode: the course after a list or an upload, and after a create of an uploaded file and of an application.
COURSES = {
    -2: ("later", "look", "look"),
    -1: ("fail", "fail", "fail"),
    1: ("fail", "look", "look"),
    2: ("later", "look", "look"),
    10004: ("later", "later", "later"),
    60001: ("fail", "upload again", "fail"),
    60002: ("much later", "fail", "fail"),
    70082: ("later", "later", "later"),
}
#: The rest of the vendor's page "Error Code and Error Message": asked again, they would be answered the same.
FINAL = (10001, 10002, 10003, 10005, 10009, 40001, 40002, 40003, 40004, 60101, 70004, 70084, 70087, 70091, 70093, 70106,
         70120, 70123, 70128, 70130, 70132, 70510, 70514, 70515, 70516, 20002, 99999)  # fmt: skip


@pytest.mark.parametrize("errcode", [*COURSES, *FINAL])
def test_refusals(errcode: int) -> None:
    """What passes is waited for, what is unclear is looked at, what would be refused again is not asked again."""
    error = refused(errcode, "SOME MESSAGE", "add the certificate")
    reading, uploaded, applied = COURSES.get(errcode, ("fail", "fail", "fail"))
    assert for_reading(error).value == reading
    assert for_creating(error, uploaded=True).value == uploaded
    assert for_creating(error, uploaded=False).value == applied


@pytest.mark.parametrize(
    ("error", "reading", "creating"),
    [
        (PbxUnreachable(), Course.LATER, Course.LATER),
        (PbxFateUnknown(), Course.LATER, Course.LOOK),
        (PbxBadAnswer(), Course.LATER, Course.LOOK),
        (PbxLoginStopped(), Course.STOPPED, Course.STOPPED),
        (PbxLoginRefused(20002, "WRONG"), Course.STOPPED, Course.STOPPED),
        (PbxTokenCap(60002, "MAX LIMITATION EXCEEDED"), Course.MUCH_LATER, Course.MUCH_LATER),
        (PbxLoginRefused(70004, "ACCOUNT IP BLOCKED"), Course.STOPPED, Course.STOPPED),
        (refused(1, "Token expired", "add"), Course.LATER, Course.LATER),
        (PbxError("of a kind that comes later"), Course.LATER, Course.LOOK),
    ],
)
def test_silence(error: PbxError, reading: Course, creating: Course) -> None:
    """Where nobody can say that nothing happened, a create is looked for before anything else."""
    assert (for_reading(error), for_creating(error, uploaded=True), for_creating(error, uploaded=False)) == (
        reading,
        creating,
        creating,
    )


@pytest.mark.parametrize("error", [refused(-2, "FAULT", "let the bot log in"), PbxBadAnswer()])
def test_trouble_on_the_way_to_a_token_is_no_doubt(error: PbxError) -> None:
    """What would leave a create in doubt says for certain that it did not leave, if it was the login that met it."""
    assert for_creating(error, uploaded=True) is Course.LOOK
    error.before_the_call = True
    assert for_creating(error, uploaded=True) is Course.LATER


def test_every_wait_ends() -> None:
    """Each course that waits has a patience, and no pause is longer than it."""
    waiting = {for_reading(refused(errcode, "", "x")) for errcode in COURSES} | {Course.STOPPED}
    assert waiting - {Course.FAIL} == set(PATIENCE)
    assert all(timedelta(0) < PAUSE[course] < PATIENCE[course] for course in PAUSE)


def test_sentence() -> None:
    """An error in words ends with its code, once."""
    told = refused(40003, "DUPLICATE KEY VALUE", "add the certificate")
    assert sentence(told).count("40003 DUPLICATE KEY VALUE") == 1
    assert sentence(PbxUnreachable("Nobody listens there.")) == "Nobody listens there. [unreachable]"
    assert sentence(PbxFateUnknown("No answer. (no_answer)")) == "No answer. (no_answer)"
    assert sentence(PbxLoginStopped("We do not log in.", last_answer="It refused the secret.")) == "It refused the secret."
