"""A circuit breaker a PBX: one that does not answer is left alone, but for a probe from time to time.

Silence is whatever ends without an errcode: no connection, no answer in time, an answer that broke off, and also a web page. A
page says that something answers, but not that a PBX does: the vendor's tunnel and any proxy answer with a page of their own
when the appliance behind them is away. Any errcode at all is an answer.
"""

from typing import Protocol

from bot.exceptions import PbxError, PbxRefused, PbxTooLate, PbxUnreachable

#: The path of a login (vendor page developer-guide/get-access-token).
LOGIN = "get_token"


class Breaker(Protocol):
    """How the PBXs answer of late, for every process."""

    def check(self, pbx: str) -> None:
        """Raises PbxAway while the PBX is to be left alone."""

    def probe(self, pbx: str) -> None:
        """The permission for one call although `check` would refuse it; for one caller at a time. Raises PbxAway."""

    def answered(self, pbx: str) -> None: ...

    def silent(self, pbx: str, error: PbxError, *, lost_login: bool) -> None:
        """``lost_login``: it was a login, and it left, so the PBX may have counted it."""


class Closed:
    """A breaker that never opens, for those who ask once and want to see for themselves."""

    def check(self, pbx: str) -> None:
        """Always pass."""

    def probe(self, pbx: str) -> None:
        """Always pass."""

    def answered(self, pbx: str) -> None:
        """Nothing is kept."""

    def silent(self, pbx: str, error: PbxError, *, lost_login: bool) -> None:
        """Nothing is kept."""


def note(breaker: Breaker, pbx: str, path: str, outcome: object) -> None:
    """Tell the breaker how one exchange ended: ``outcome`` is the answer or the error."""
    if isinstance(outcome, PbxTooLate):
        return  # held back by us: it says nothing of the PBX
    if isinstance(outcome, PbxError) and not isinstance(outcome, PbxRefused):
        breaker.silent(pbx, outcome, lost_login=path == LOGIN and not isinstance(outcome, PbxUnreachable))
    else:
        breaker.answered(pbx)
