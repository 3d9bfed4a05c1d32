"""Temporary storage of uploaded files: cleaned each day at 01:00 of those that are older than an hour by then."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.pbx.answers import BAD_PARAMETER, FILE_TOO_LARGE, NOT_FOUND, Refusal

CLEANED_AT_HOUR = 1
OLD = timedelta(hours=1)


@dataclass(frozen=True)
class TemporaryFile:
    """A file between upload and create."""

    name: str
    type: str
    content: bytes = field(repr=False)
    uploaded_at: datetime


def base_name(path: str) -> str:
    """What is left of a path, also of a Windows one."""
    return re.split(r"[/\\]", path)[-1]


@dataclass
class Uploads:
    """The files that nobody has used yet. The simulator's lock guards it."""

    now: Callable[[], datetime]
    most_bytes: int = 1_000_000
    _files: dict[tuple[str, str], TemporaryFile] = field(default_factory=dict)

    def keep(self, kind: str, filename: str, content: bytes) -> str:
        """Store a file under its base name, over one of the same name, and say that name."""
        name = base_name(filename)
        if not name:
            raise Refusal(BAD_PARAMETER)
        if len(content) > self.most_bytes:
            raise Refusal(FILE_TOO_LARGE)
        self._files[kind, name] = TemporaryFile(name, kind, content, self.now())
        return name

    def find(self, kind: str, name: str) -> TemporaryFile:
        self.clean()
        file = self._files.get((kind, name))
        if file is None:
            raise Refusal(NOT_FOUND)
        return file

    def use_up(self, file: TemporaryFile) -> None:
        """The file has become a certificate."""
        self._files.pop((file.type, file.name), None)

    def all(self) -> list[TemporaryFile]:
        self.clean()
        return list(self._files.values())

    def clean(self) -> None:
        """Do what the last 01:00 would have done; it is only looked at when somebody calls."""
        now = self.now()
        cleaned_at = now.replace(hour=CLEANED_AT_HOUR, minute=0, second=0, microsecond=0)
        if cleaned_at > now:
            cleaned_at -= timedelta(days=1)
        self._files = {key: file for key, file in self._files.items() if file.uploaded_at > cleaned_at - OLD}
