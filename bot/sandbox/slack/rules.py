"""The small pieces from which the Block Kit rules are built: checks that report by JSON pointer.

A check is called with a value, its JSON pointer and a report, and adds a line for each thing that is wrong, in the manner
of Slack's ``response_metadata.messages`` (docs.slack.dev/reference/block-kit).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

Check = Callable[[Any, str, "Report"], None]


class Report:
    """What is wrong with one payload."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, pointer: str, sentence: str) -> None:
        self.messages.append(f"[ERROR] {sentence} [json-pointer:{pointer}]")


def string(maximum: int, minimum: int = 1) -> Check:
    """A string of `minimum` to `maximum` characters."""

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, str):
            report.add(at, "must be a string")
        elif len(value) < minimum:
            report.add(at, f"must be more than {minimum - 1} characters")
        elif len(value) > maximum:
            report.add(at, f"must be less than {maximum + 1} characters")

    return check


def number(minimum: int, maximum: int) -> Check:
    """A whole number between two others."""

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            report.add(at, f"must be a whole number from {minimum} to {maximum}")

    return check


def boolean(value: Any, at: str, report: Report) -> None:
    if not isinstance(value, bool):
        report.add(at, "must be a boolean")


def choice(*allowed: str) -> Check:
    """One of the given strings."""

    def check(value: Any, at: str, report: Report) -> None:
        if value not in allowed:
            report.add(at, f"must be one of: {', '.join(allowed)}")

    return check


def array(item: Check, minimum: int, maximum: int) -> Check:
    """A list of `minimum` to `maximum` items, each of which is checked."""

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, list):
            report.add(at, "must be an array")
            return
        if len(value) < minimum:
            report.add(at, f"no fewer than {minimum} items allowed")
        if len(value) > maximum:
            report.add(at, f"no more than {maximum} items allowed")
        for index, entry in enumerate(value):
            item(entry, f"{at}/{index}", report)

    return check


def record(fields: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    """An object of these fields and no others; ``type`` is checked by whoever chose this rule."""

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.add(at, "must be an object")
            return
        for name in required:
            if value.get(name) is None:
                report.add(at, f"missing required field: {name}")
        for name, entry in value.items():
            if name in fields:
                fields[name](entry, f"{at}/{name}", report)
            elif name != "type":
                report.add(f"{at}/{name}", "additional properties not allowed")

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose ``type`` says which of the rules holds for it."""

    def check(value: Any, at: str, report: Report) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            report.add(at, f"unsupported type: {kind}")
        else:
            kinds[kind](value, at, report)

    return check


def both(*checks: Check) -> Check:
    """Every one of these checks."""

    def check(value: Any, at: str, report: Report) -> None:
        for each in checks:
            each(value, at, report)

    return check


def anything(value: Any, at: str, report: Report) -> None:
    """Accepted as it is."""
