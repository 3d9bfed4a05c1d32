"""A configuration that cannot work ends in a sentence."""

from pathlib import Path

import pytest

from bot.exceptions import ConfigError
from bot.store import alone


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The database's folder is missing: the error says which, and what to correct."""
    with pytest.raises(ConfigError, match=r"nowhere.*database\.url"):
        alone.on(f"sqlite:///{tmp_path}/nowhere/bot.db")
