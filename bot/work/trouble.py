"""What a PBX's refusal or silence means for the request in hand. Pure: an error in, a course out."""

from datetime import timedelta
from enum import StrEnum

from bot.exceptions import (
    PbxAway,
    PbxError,
    PbxLimitReached,
    PbxLoginRefused,
    PbxLoginStopped,
    PbxRefused,
    PbxTokenCap,
    PbxTokenExpired,
    PbxUnreachable,
)


class Course(StrEnum):
    """What to do about an error."""

    #: It passes by itself: come back, with a growing pause.
    LATER = "later"
    #: Every access token is taken; the oldest goes within half an hour.
    MUCH_LATER = "much later"
    #: Logins are stopped; a person has to do something first.
    STOPPED = "stopped"
    #: The call may have been carried out: look before anything else.
    LOOK = "look"
    #: The PBX cleaned its temporary storage: upload again.
    UPLOAD_AGAIN = "upload again"
    #: It will be refused the next time, too.
    FAIL = "fail"


#: How long a request waits for a PBX before the bot gives up on it.
PATIENCE = {
    Course.LATER: timedelta(hours=1),
    Course.MUCH_LATER: timedelta(hours=1),
    Course.STOPPED: timedelta(hours=24),
}
#: The pause where it does not grow.
PAUSE = {Course.MUCH_LATER: timedelta(minutes=5), Course.STOPPED: timedelta(minutes=10)}

#: INTERNAL SERVER ERROR, PROCESSING, OVERLOAD_TASK_RUNNING (facts of the Open API's table of error codes).
_PASSING = frozenset({-2, 2, 70082})
#: INTERNAL SERVER ERROR, PARTIAL SUCCESS, PROCESSING: after these a certificate may be there.
_UNCLEAR = frozenset({-2, 1, 2})
_DATA_NOT_FOUND = 60001


def for_reading(error: PbxError) -> Course:
    """After a call that may be made again without harm: a list, an upload."""
    if isinstance(error, PbxLoginRefused | PbxLoginStopped):
        return Course.STOPPED
    if isinstance(error, PbxLimitReached):  # reading has no limit of its own, so it is that of the tokens
        return Course.MUCH_LATER
    if isinstance(error, PbxTokenExpired) or not isinstance(error, PbxRefused):
        return Course.LATER
    return Course.LATER if error.errcode in _PASSING else Course.FAIL


def for_creating(error: PbxError, *, uploaded: bool) -> Course:
    """After ``certificate/create``, which must not happen twice."""
    certain = isinstance(error, PbxUnreachable | PbxLoginRefused | PbxLoginStopped | PbxTokenCap | PbxTokenExpired)
    if certain or error.before_the_call:
        return for_reading(error)  # it did not take effect, and that is certain
    if not isinstance(error, PbxRefused):
        return Course.LOOK
    if error.errcode in _UNCLEAR:
        return Course.LOOK
    if uploaded and error.errcode == _DATA_NOT_FOUND:
        return Course.UPLOAD_AGAIN
    return Course.LATER if error.errcode in _PASSING else Course.FAIL


def sentence(error: PbxError) -> str:
    """The error in words, with its code in brackets."""
    if isinstance(error, PbxLoginStopped) and error.last_answer:
        return error.last_answer  # that there are no more logins is said by whoever tells it
    if isinstance(error, PbxAway):
        return f"{error.outage} [{error.code}]"  # that it is tried again is said by whoever tries
    return error.message if error.code in error.message else f"{error.message} [{error.code}]"
