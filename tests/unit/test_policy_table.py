"""The specification of who may approve what, line by line."""

from pathlib import Path

import pytest

from tests.unit.policy_files import loaded
from tests.unit.policy_play import Line, play
from tests.unit.policy_table import Chapter, chapters, groups_of

PAGE = Path(__file__).with_name("policy_table.md").read_text("utf-8")
GROUPS = groups_of(PAGE)
LINES = [(chapter, line) for chapter in chapters(PAGE) for line in chapter.lines]


@pytest.mark.parametrize(("chapter", "line"), LINES, ids=[f"{chapter.title}: {line.case}" for chapter, line in LINES])
def test_the_policy(chapter: Chapter, line: Line, tmp_path: Path) -> None:
    """The rule that counts, who may do what, and what is still missing are what the line says."""
    config = loaded(chapter.policy, tmp_path)
    today = loaded(chapter.today, tmp_path) if chapter.today else None
    assert play(line, config, GROUPS, today) == line


def test_the_table_is_large_enough() -> None:
    """There are at least sixty lines, and no two of them are one."""
    assert len(LINES) == len(set(LINES)) >= 60


def test_each_word_is_in_it() -> None:
    """Every code of a verdict about people, and every end, stands in the table at least once."""
    codes = {code for _, line in LINES for code in line.acts.split()} | {line.rule for _, line in LINES}
    expected = {"everybody", "named", "member", "reader", "own_request", "not_named", "membership_unknown", "none: no_rule"}
    assert expected <= codes
    assert {"approved", "rejected", "not asked"} <= {line.stands for _, line in LINES}
