"""The README's three worked policies do what it says of them."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.risk import Risk
from tests.unit.policy_files import loaded
from tests.unit.policy_play import Line, play
from tests.unit.policy_table import Chapter, chapters, groups_of

README = Path(__file__).parents[2].joinpath("README.md").read_text("utf-8")
SECTION = README.partition("\n## Who may approve\n")[2].partition("\n## ")[0]
GROUPS = groups_of(SECTION)
CHAPTERS = {chapter.title: chapter for chapter in chapters(SECTION)}
LINES = [(chapter, line) for chapter in CHAPTERS.values() for line in chapter.lines]


def test_three_of_them() -> None:
    """There are three, each with cases of its own."""
    assert list(CHAPTERS) == ["A small team", "Several teams", "Regulated"]
    assert all(len(chapter.lines) >= 6 for chapter in CHAPTERS.values())


@pytest.mark.parametrize(("chapter", "line"), LINES, ids=[f"{chapter.title}: {line.case}" for chapter, line in LINES])
def test_what_the_tables_claim(chapter: Chapter, line: Line, tmp_path: Path) -> None:
    """Each line of a table holds for the policy above it, completed to a configuration."""
    assert play(line, loaded(chapter.policy, tmp_path), GROUPS) == line


def test_what_the_words_claim(tmp_path: Path) -> None:
    """What the text beside the tables says is in the policies, too."""
    teams = loaded(CHAPTERS["Several teams"].policy, tmp_path)
    assert teams.rules.clauses[1].rule.pinged == ("lead-of-requester",)
    regulated = loaded(CHAPTERS["Regulated"].policy, tmp_path)
    rule = regulated.rules.clauses[0].rule
    assert (rule.comment, rule.approvals) == (True, 2)
    assert rule.emergency
    assert rule.emergency.confirm_within == timedelta(hours=12)
    assert regulated.slack.outsiders == ("T0PARTNER",)


def test_every_risk_is_named() -> None:
    """The README names each risk that a rule can ask for."""
    assert all(f"`{risk}`" in SECTION for risk in Risk)
