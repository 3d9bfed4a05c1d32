"""Figures and seeds that tests leave behind, printed at the end of a session: a sentence each."""

from collections.abc import Callable
from typing import Any

RecordProperty = Callable[[str, object], None]

_PROPERTY = "note"


def note(record_property: RecordProperty, sentence: str) -> None:
    """Have this printed at the end, also when the test passes and when it ran in another process."""
    record_property(_PROPERTY, sentence)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())]
    properties = [each for report in reports if report.when == "call" for each in report.user_properties]
    sentences = [str(value) for name, value in properties if name == _PROPERTY]
    if sentences:
        terminalreporter.section("figures and seeds")
        for sentence in sentences:
            terminalreporter.write_line(sentence)
