"""A file in, a configuration or the lines of an error out."""

from pathlib import Path

import pytest

from bot.config import Config, load
from bot.exceptions import ConfigError
from tests.unit.config.files import ENVIRON, Faults, Load


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Write a file and load it with the environment of these tests, or with changes to it."""

    def write_and_load(text: str, **environ: str) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        return load(path, ENVIRON | environ)

    return write_and_load


@pytest.fixture
def faults(loaded: Load, tmp_path: Path) -> Faults:
    """The lines of the error that a file is answered with, each without the file's name."""

    def lines(text: str, **environ: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            loaded(text, **environ)
        found = caught.value.message.splitlines()
        prefix = f"{tmp_path / 'config.toml'}: "
        assert all(line.startswith(prefix) for line in found)
        return [line.removeprefix(prefix) for line in found]

    return lines
