"""Reads policies and what is claimed of them out of a page in Markdown: policy_table.md, and the README."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.policy_play import Line

_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """``today`` is the policy when votes are given, where it is another one than when it was asked."""

    title: str
    policy: str
    lines: tuple[Line, ...]
    today: str = ""


def chapters(page: str) -> Iterator[Chapter]:
    """The parts that hold a policy; `policy_play` tells what the cells of a line mean."""
    for part in re.split(r"^##+ ", page, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        policy, *today = _BLOCK.findall(text) or [""]
        if policy:
            yield Chapter(title, policy, tuple(Line(*row) for row in _rows(text, cells=4)), *today)


def groups_of(page: str) -> dict[str, list[str]]:
    """The user groups that the page's table of them names."""
    table = page[page.index("| user group |") :].partition("\n\n")[0]
    return {group.split()[-1]: who.split(", ") for group, who in _rows(table, cells=2)}


def _rows(text: str, cells: int) -> Iterator[list[str]]:
    """The rows of so many columns, without the first, which is the head, and without the line below that."""
    rows = [[cell.strip().replace("`", "") for cell in row.split(" | ")] for row in _ROW.findall(text)]
    yield from [row for row in rows if len(row) == cells][1:]
