"""What is wrong with something a person gave, said to that person."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One reason why this cannot be taken.

    ``field`` is what it belongs to ("files", "domain", "dns"), or for DNS parameters "dns." and the key. ``message`` says
    what is wrong and what to do, and never repeats a value that may be secret. ``code`` is short and stable.
    """

    field: str
    message: str
    code: str

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


def printable(text: str, limit: int = 120) -> str:
    """Text from outside in one visible line: control and direction-changing characters become "?", the rest is cut."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    return line if len(line) <= limit else line[: limit - 1] + "…"
