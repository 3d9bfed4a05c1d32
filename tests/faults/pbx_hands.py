"""How the calls of `tests.faults.pbx_faults` are reached, and how its faults are made on the simulated PBX."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.sandbox.pbx import PbxSimulator
from tests.flow.world import World

CREATE, LIST, UPLOAD, LOGIN, REFRESH = (
    "certificate/create", "certificate/list", "certificate/upload", "get_token", "refresh_token",
)  # fmt: skip
INFORMATION = "system/information"
#: A day that can be a month.
AMBIGUOUS = datetime(2031, 5, 6, 12, tzinfo=UTC)
#: For how many calls a fault stays that stays.
FOR_GOOD = 100_000

Prepare = Callable[[World], object]


def nothing(world: World) -> None:
    """All is as it usually is."""


@dataclass(frozen=True)
class Reached:
    """One call of a request's life: its path, and how many calls to that path come before it in its phase."""

    path: str
    skip: int = 0
    kind: str = "trusted"
    #: Whether it is made at the check and not after the approval.
    at_check: bool = False
    #: Done between the check and the approval (or before the check), so that the call is made at all.
    prepare: Prepare = nothing
    #: The call before it, and its own ``skip``; None if it is the first of its phase.
    after: tuple[str, int] | None = None


def _forgotten(world: World) -> None:
    world.hq.forget_tokens()


def _old_token(world: World) -> None:
    world.clock.advance(minutes=31)


def _refused_in_create(world: World) -> None:
    """The token is refused just where it counts, and the refresh token, too."""
    world.hq.trouble.refuse(CREATE, 10004)
    world.hq.trouble.refuse(REFRESH, 10004)


def _renewed_in_create(world: World) -> None:
    world.hq.trouble.refuse(CREATE, 10004)


def _lost_create(world: World) -> None:
    world.hq.trouble.drop(CREATE, after_effect=True)


def _ambiguous_date(world: World) -> None:
    world.hq.add_certificate("trusted", "by-hand.crt", expires=AMBIGUOUS)


REACHED: Mapping[str, Reached] = {
    "get_token at the check": Reached(LOGIN, at_check=True),
    "get_token after the approval": Reached(LOGIN, prepare=_forgotten, after=(REFRESH, 0)),
    "get_token in the middle of create": Reached(LOGIN, prepare=_refused_in_create, after=(REFRESH, 0)),
    "refresh_token after the approval": Reached(REFRESH, prepare=_old_token),
    "refresh_token in the middle of create": Reached(REFRESH, prepare=_renewed_in_create, after=(CREATE, 0)),
    "list at the check": Reached(LIST, at_check=True),
    "list at the look": Reached(LIST),
    "list before create": Reached(LIST, 1, after=(UPLOAD, 0)),
    "upload of a trusted CA": Reached(UPLOAD, after=(LIST, 0)),
    "upload of an import": Reached(UPLOAD, kind="import", after=(LIST, 0)),
    "system/information at the look": Reached(INFORMATION, prepare=_ambiguous_date, after=(LIST, 0)),
    "create of a trusted CA": Reached(CREATE, after=(LIST, 1)),
    "create of an import": Reached(CREATE, kind="import", after=(LIST, 1)),
    "create of an application": Reached(CREATE, kind="apply", after=(LIST, 1)),
    "list to find out after a lost create": Reached(LIST, 2, prepare=_lost_create, after=(CREATE, 0)),
    "list to follow an application": Reached(LIST, 2, kind="apply", after=(CREATE, 0)),
    "list to confirm": Reached(LIST, 2, after=(CREATE, 0)),
    # One look finds it being issued, one finds it issued (`POLLS`), and the next is the one that confirms.
    "list to confirm an application": Reached(LIST, 4, kind="apply", after=(LIST, 3)),
}
#: How often an application is seen as being issued.
POLLS = 1

Make = Callable[[PbxSimulator, Reached, int], None]


def _refused_connection(hq: PbxSimulator, reached: Reached, times: int) -> None:
    if reached.after is None:
        hq.make_unreachable()
    else:
        hq.unreachable_after(reached.after[0], skip=reached.after[1])


def _errcode(errcode: int, each: int = 1) -> Make:
    def refuse(hq: PbxSimulator, reached: Reached, times: int) -> None:
        hq.trouble.refuse(reached.path, errcode, None if errcode != 99999 else "SOMETHING NEW", each * times, skip=reached.skip)

    return refuse


MADE: Mapping[str, Make] = {
    "refused connection": _refused_connection,
    "timeout before the effect": lambda hq, at, times: hq.trouble.hang(at.path, after_effect=False, times=times, skip=at.skip),
    "timeout after the effect": lambda hq, at, times: hq.trouble.hang(at.path, after_effect=True, times=times, skip=at.skip),
    "reset before the effect": lambda hq, at, times: hq.trouble.drop(at.path, after_effect=False, times=times, skip=at.skip),
    "reset after the effect": lambda hq, at, times: hq.trouble.drop(at.path, after_effect=True, times=times, skip=at.skip),
    "truncated JSON": lambda hq, at, times: hq.trouble.truncate(at.path, times, skip=at.skip),
    "HTML 502 before the effect": lambda hq, at, times: hq.trouble.html(at.path, 502, times, skip=at.skip),
    "HTML 502 after the effect": lambda hq, at, times: hq.trouble.html(at.path, 502, times, after_effect=True, skip=at.skip),
    "slower than the time limit": lambda hq, at, times: hq.trouble.trickle(at.path, times, skip=at.skip),
    **{str(code): _errcode(code) for code in (-2, -1, 2, 10001, 10004, 10005, 40001, 40002, 40003, 40004, 60001, 60002, 70004,
                                              70082, 70087, 70091, 70123, 99999)},
    "10004 twice running": _errcode(10004, 2),
}  # fmt: skip
#: Those for which the bot's own time limit has to run out.
SLOW = frozenset({"timeout before the effect", "timeout after the effect", "slower than the time limit"})
