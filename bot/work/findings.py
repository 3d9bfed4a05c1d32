"""What the examination of a draft has found so far."""

from dataclasses import dataclass, field

from bot.domain.certificates import CertificateFacts
from bot.domain.policy import Verdict
from bot.domain.problems import Problem
from bot.domain.requests import Ask
from bot.domain.rules import Rule


@dataclass
class Findings:
    """What the examination has gathered so far. ``secrets`` go to the vault and nowhere else."""

    ask: Ask
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    bundle: bytes | None = field(default=None, repr=False)
    params: dict[str, str | int | bool] | None = field(default=None, repr=False)
    public_pem: str = ""
    certificate: CertificateFacts | None = None
    chain: tuple[CertificateFacts, ...] = ()
    has_weak_key: bool = False
    key_files: tuple[str, ...] = ()
    name: str = ""
    rule: Rule | None = None
    #: Why its requester may not take part at all.
    refusal: Verdict | None = None
