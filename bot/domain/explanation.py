"""Everything behind a decision, as one value."""

from dataclasses import dataclass

from bot.domain.policy import Verdict
from bot.domain.requests import Request
from bot.domain.rules import Rule


@dataclass(frozen=True)
class Explanation:
    """``verdict`` is on whoever asked; None when nobody in particular did. ``refusal`` says why no rule can be told."""

    request: Request
    rules: tuple[Rule, ...]
    tried: tuple[tuple[str, str], ...] = ()
    refusal: Verdict | None = None
    verdict: Verdict | None = None
