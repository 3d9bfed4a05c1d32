"""What libraries log is beyond our control, so secrets are cut out of it in whatever shape it comes."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from bot import logs

SECRET = "s3cr3t-of-a-pbx"


def logged(capsys: pytest.CaptureFixture[str], say: Callable[[], None]) -> list[dict[str, Any]]:
    """The lines that come out as `serve` logs; what was configured before is put back."""
    root = logging.getLogger()
    handlers, level, raises = root.handlers, root.level, logging.raiseExceptions
    logs.configure("INFO")
    try:
        say()
    finally:
        root.handlers, logging.raiseExceptions = handlers, raises
        root.setLevel(level)
        structlog.reset_defaults()
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_exceptions_text_is_redacted_in_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """A library that logs a traceback whose exception names the URL of a call does not give away the token in it."""

    def say() -> None:
        try:
            raise OSError(f"GET https://pbx/certificate/list?access_token={SECRET}&page=1")
        except OSError:
            logging.getLogger("urllib3.connectionpool").exception("failed")

    (line,) = logged(capsys, say)
    assert "certificate/list" in line["exception"]
    assert SECRET not in json.dumps(line)


@pytest.mark.parametrize(
    "value", [OSError(f"password={SECRET}"), {"url": f"?ticket={SECRET}"}, [f"refresh_token={SECRET}"], {"password": SECRET}]
)
def test_a_secret_within_a_value_is_redacted(capsys: pytest.CaptureFixture[str], value: object) -> None:
    """Exceptions, mappings and lists are searched as texts are, whether we log them or a library prints them."""

    def say() -> None:
        structlog.get_logger("bot.test").warning("ours", value=value)
        logging.getLogger("slack_sdk").warning("theirs: %s", value)

    lines = logged(capsys, say)
    assert len(lines) == 2
    assert SECRET not in json.dumps(lines)
