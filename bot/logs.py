"""Logs for operators: one JSON object a line, with what may be secret cut out once more at the end."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

#: Slack's tokens, a token or secret in a query string or in printed data, a bearer header, response URLs.
_SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+"
    r"|((?:access_token|refresh_token|client_secret|password|ticket)(?:=|[\"']: ?[\"']?))[^&\s\"',}]+"
    r"|(Bearer )\S+|(https?://\S*?/(?:commands|actions|response)/)\S+"
)


def redact(text: str) -> str:
    """The last line of defence: nothing that comes here should hold a secret."""
    return _SECRET.sub(lambda found: next((part for part in found.groups() if part), "") + "[redacted]", text)


def _redacted(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value if key.startswith("_") else _clean(value) for key, value in event.items()}


def _clean(value: Any) -> Any:
    """Numbers as they are; of everything else what would be printed, such as an exception with a URL in its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    return redact(value if isinstance(value, str) else repr(value))


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Our own lines by structlog, those of libraries from a warning on, in the same form, to standard error or ``stream``."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redacted,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.raiseExceptions = False  # or a line that cannot be written is printed as it is, with its arguments
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("bot").setLevel(level)
    logging.getLogger("websocket").setLevel(logging.CRITICAL)  # the SDK says the same again, and a goodbye is no error
