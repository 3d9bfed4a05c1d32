"""The demonstration (to come in the next commit)."""

from pathlib import Path


def play(*, once: bool, folder: Path | None) -> int:
    """Placeholder."""
    raise NotImplementedError
