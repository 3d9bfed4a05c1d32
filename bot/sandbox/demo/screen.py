"""How it all looks: in colour on a terminal, as plain lines in a log."""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Slack's mrkdwn, as far as the bot uses it: code, bold, italic (docs.slack.dev/messaging/formatting-message-text).
_MARKS = re.compile(r"`([^`\n]+)`|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<!\w)_([^_\n]+)_(?!\w)")
_STYLES = ("cyan", "bold", "italic")
_INDENT = 10
#: Columns where nothing tells how many there are.
_WIDE = 120


class Screen:
    """Prints what happens, with the seconds since the beginning before each thing."""

    def __init__(self, console: Console | None = None) -> None:
        if console is None:
            sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
            console = Console(highlight=False, emoji=False, markup=False)
        self._console = console
        if not console.is_terminal:
            console.width = _WIDE
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def heading(self, text: str) -> None:
        self.blank()
        self._console.rule(Text(text, "bold"), align="left", style="blue")

    def note(self, text: str, style: str = "") -> None:
        """A line without a time."""
        self._lines(text, " " * _INDENT, style)

    def act(self, who: str, what: str) -> None:
        """What a person does."""
        self._lines(f"*{who}* {what}", self._now(), "magenta")

    def said(self, where: str, text: str, style: str = "blue") -> None:
        """One message: beside its place if that makes one line, else below it."""
        line = Text(self._now()) + Text(f"{where} │ ", style) + marked(text)
        if "\n" in text or (self._console.is_terminal and line.cell_len > self._console.width):
            self.block(where, text, style)
        else:
            self._print(line)

    def block(self, title: str, text: str, style: str) -> None:
        """Several lines that belong together: a modal, a card."""
        self._print(Text(self._now()) + Text(title, style))
        self._lines(text, " " * _INDENT + "│ ", "", bar=style)

    @contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """A spinner with the seconds it turns, whose words can change; in a log, a line for each change."""
        if self._console.is_terminal:
            began = time.monotonic()
            with self._console.status(Text(text)) as status:
                yield lambda now: status.update(Text(f"{now}  {time.monotonic() - began:.0f} s"))
            return
        told = [""]

        def tell(now: str) -> None:
            if now != told[0]:
                told[0] = now
                self._print(Text(f"{self._now()}… {now}"))

        tell(text)
        yield tell

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(*columns, title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(table)

    def blank(self) -> None:
        self._console.print()

    def check(self, passed: bool, text: str) -> None:
        word = Text("PASS  ", "bold green") if passed else Text("FAIL  ", "bold red")
        self._print(word + Text(text))

    def failure(self, text: str, lines: Sequence[str], log: str) -> None:
        """What went wrong, and the end of the bot's log."""
        self.blank()
        self._print(Text("FAIL  ", "bold red") + Text(text, "bold"))
        if lines:
            self._print(Text(f"The last lines of {log}:"))
            for line in lines:
                self._print(Text(f"  {line}", "dim"))

    def _now(self) -> str:
        return f"{self.seconds:6.1f} s  "

    def _lines(self, text: str, before: str, style: str, bar: str = "") -> None:
        for line in text.split("\n"):
            for part in self._wrapped(marked(line, style), self._console.width - len(before)):
                self._print(Text(before, bar) + part)
                before = before if bar else " " * _INDENT

    def _wrapped(self, line: Text, width: int) -> Iterable[Text]:
        """A log keeps its lines whole, so that they can be searched."""
        return line.wrap(self._console, max(width, 20)) if self._console.is_terminal and line else [line]

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


def marked(text: str, style: str = "") -> Text:
    """Slack's marks as styles."""
    shown, at = Text("", style), 0
    for found in _MARKS.finditer(text):
        which = found.lastindex or 1
        shown.append(text[at : found.start()]).append(found.group(which), _STYLES[which - 1])
        at = found.end()
    return shown.append(text[at:])
