"""What libraries log is beyond our control, so secrets are cut out of it in whatever shape it comes."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot import logs

SECRET = "s3cr3t-of-a-pbx"


@pytest.fixture
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Logging as `serve` has it, on the captured standard error; put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    logs.configure("INFO")
    yield
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    err = capsys.readouterr().err; print("ERR", err)
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.usefixtures("configured")
def test_an_exceptions_text_is_redacted_in_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """A library that logs a traceback whose exception names the URL of a call does not give away the token in it."""
    try:
        raise OSError(f"GET https://pbx/certificate/list?access_token={SECRET}&page=1")
    except OSError:
        logging.getLogger("urllib3.connectionpool").exception("failed")
    (line,) = lines_of(capsys)
    assert "certificate/list" in line["exception"]
    assert SECRET not in json.dumps(line)


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    "value", [OSError(f"password={SECRET}"), {"url": f"?ticket={SECRET}"}, [f"refresh_token={SECRET}"], {"password": SECRET}]
)
def test_a_secret_within_a_value_is_redacted(capsys: pytest.CaptureFixture[str], value: object) -> None:
    """Exceptions, mappings and lists are searched as texts are, also where a library prints them."""
    structlog.get_logger("bot.test").warning("ours", value=value)
    logging.getLogger("slack_sdk").warning("theirs: %s", value)
    lines = lines_of(capsys)
    assert len(lines) == 2
    assert SECRET not in json.dumps(lines)
