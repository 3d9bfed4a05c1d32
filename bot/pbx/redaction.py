"""Keeping tokens and secrets out of what is written down.

The PBX wants its token in the query string, and urllib3 writes query strings into its debug log. Whoever turns that log on must
not get a token with it.
"""

import logging
import re
from collections.abc import Iterable

HIDDEN = "[hidden]"
_IN_QUERY = re.compile(r"\b(access_token|refresh_token|password|client_secret)=[^&\s\"')]*", re.IGNORECASE)

#: Shorter values occur in ordinary words; hiding them would garble a message and protect nothing.
_SHORTEST_SECRET = 4

#: The two that write URLs: the one on each answer, the other on each attempt that failed.
_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets and without the values of query parameters that hold one."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    return _IN_QUERY.sub(rf"\1={HIDDEN}", text)


class QueryFilter(logging.Filter):
    """Hides the tokens in URLs that a library logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), ()
        return True


def guard_logs() -> None:
    """Put the filter on urllib3's loggers, once."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, QueryFilter) for each in logger.filters):
            logger.addFilter(QueryFilter())
