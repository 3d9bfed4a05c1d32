"""What must come of a fault: one word each, with the sentence that a test holds the bot to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

C = TypeVar("C", bound="Case")


class Right(Enum):
    """The right outcome of a fault, by the letter that stands for it in the tables."""

    #: Nothing was amiss that anybody has to know: it ends done, and the thread is that of an undisturbed request.
    UNNOTICED = "u"
    #: The thread is told once, the bot comes back by itself, and it ends done.
    RETRIED = "r"
    #: Whether it happened is not known: the bot says so, looks, and ends done with one effect.
    SETTLED = "S"
    #: It ends failed, in words and with the code, and nothing of it is on the PBX.
    FAILED = "F"
    #: No more logins until a person acts; said once; other PBXs go on; after Try again it ends done with one effect.
    STOPPED = "X"
    #: The bot cannot find out by itself: it says unknown, asks people, sends nothing more, and goes by their word.
    ASKED = "P"
    #: At the check: what could not be asked stands in the evidence, in words; asked for all the same, it ends done.
    SHOWN = "s"
    #: The form is shown again with the problem beside the field, and nothing that was typed is lost.
    BACK_TO_FORM = "B"
    #: Said when Slack lets us, each line once and in order; the work on the PBX did not wait for it.
    TOLD_LATER = "t"
    #: Looked for by the event's id in the message's metadata, found, and not posted twice.
    FOUND = "f"
    #: What cannot be said in its channel is said to the requester alone, and in the channel once that can be.
    TOLD_PRIVATELY = "d"
    #: Said in another way: by direct message in place of a window or an answer that only they see.
    ANOTHER_WAY = "a"
    #: A message that somebody deleted is posted anew, and there is one.
    ANEW = "n"
    #: What was for one person and cannot be told is not told, is logged, and holds up nothing.
    GIVEN_UP = "g"
    #: Fail closed: nothing is approved and the person is told; a click after the fault counts.
    NOT_TAKEN = "c"
    #: No window opens, or it stays as it was; the person is told or sees it, and trying again works.
    TRY_ANEW = "w"
    #: The connection is made anew, and nothing that was acknowledged is lost or done twice.
    RECONNECTED = "R"
    #: The bot does not start, says why, and starts once it can.
    NOT_STARTED = "N"


@dataclass(frozen=True)
class Case:
    """One cell of a table."""

    call: str
    fault: str
    right: Right

    def __str__(self) -> str:
        return f"{self.fault}, {self.call}".replace(" ", "_")


def read_table(text: str, letters: Mapping[str, Right]) -> tuple[tuple[str, ...], dict[str, dict[str, str]]]:
    """The columns and, by row, the letters of a table such as those beside this file; ``|`` parts row names from cells."""
    heading, *rows = (line for line in text.splitlines() if line.strip())
    columns = tuple(heading.partition("|")[2].split())
    cells = {}
    for row in rows:
        name, _, marks = row.partition("|")
        found = marks.split()
        assert len(found) == len(columns), f"{name.strip()} has {len(found)} cells, not {len(columns)}"
        assert set(found) <= {*letters, "-"}, f"{name.strip()} has a letter that nobody explained"
        cells[name.strip()] = dict(zip(columns, found, strict=True))
    return columns, cells


def cases_of(text: str, calls: Mapping[str, str]) -> list[Case]:
    """Every cell that is one, in the order of the table; ``calls`` gives the columns' full names."""
    letters = {right.value: right for right in Right}
    columns, cells = read_table(text, letters)
    assert set(columns) == set(calls), "each column has a name, and each name a column"
    return [
        Case(calls[column], fault, letters[mark])
        for fault, marks in cells.items()
        for column, mark in marks.items()
        if mark != "-"
    ]


def chosen(cases: Sequence[C], matrix: str, stride: int) -> list[C]:
    """All cases, or for ``part`` those that touch a call, a fault or an outcome for the first time, and every so many."""
    if matrix == "whole":
        return list(cases)
    seen: set[object] = set()
    picked = []
    for number, case in enumerate(cases):
        touched = {("call", case.call), ("fault", case.fault), ("right", case.right)}
        if not touched <= seen or number % stride == 0:
            picked.append(case)
        seen |= touched
    return picked


def missing(cases: Iterable[Case], calls: Iterable[str], faults: Iterable[str], said: Callable[[str, str], bool]) -> list[str]:
    """The pairs that are neither tested nor explained."""
    tested = {(case.call, case.fault) for case in cases}
    return [f"{fault}: {call}" for fault in faults for call in calls if (call, fault) not in tested and not said(call, fault)]
