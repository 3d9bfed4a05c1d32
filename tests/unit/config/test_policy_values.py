"""What [[policy]], [[team]], [risk] and [audit] may say, and what becomes of it."""

from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.config import Config
from bot.domain.kinds import Kind
from bot.domain.risk import Risk
from bot.domain.rules import LEAD, Emergency, Rule, Seats, Team, When
from tests.unit.policy_files import loaded

HQ = '[[pbx]]\nname = "hq"\napprovers = ["U0ANA"]\n'
BARE = '[[pbx]]\nname = "hq"\n'
ALL = 'all = [{ of = ["U0ANA"] }]\n'
TEAM = '[[team]]\nname = "voice"\nmembers = ["S0TECHS"]\nleads = ["U0LEAD"]\n'


class TestWhatMayBeSaid:
    def test_everything(self, tmp_path: Path) -> None:
        """Each key arrives in the domain's rule."""
        config = loaded(
            HQ
            + TEAM
            + """
[[policy]]
name = "careful"
pbx = ["HQ"]
kind = ["import", "apply"]
risk = ["wildcard"]
requester = ["S0TECHS", "U0TESS"]
ask = ["S0TECHS"]
read = ["S0AUDIT"]
all = [{ of = ["lead-of-requester", "U0BEN"], approvals = 2 }]
any = [{ of = ["S0SECURITY"] }, { of = ["U0HEAD"] }]
silent = ["U0HEAD", "lead-of-requester"]
comment = true
open_for = "1d"
remind_after = "2h"
escalate_after = "6h"
escalate_to = ["lead-of-requester", "U0HEAD"]
emergency = { by = ["S0ONCALL"], confirm_within = "12h" }
""",
            tmp_path,
        )
        clause = config.rules.clauses[0]
        assert clause.when == When(("HQ",), (Kind.IMPORT, Kind.APPLY), (Risk.WILDCARD,), ("S0TECHS", "U0TESS"))
        assert clause.rule == Rule(
            pbx="",
            line='policy[0] "careful"',
            all=(Seats((LEAD, "U0BEN"), 2),),
            any=(Seats(("S0SECURITY",)), Seats(("U0HEAD",))),
            requesters=("S0TECHS",),
            readers=("S0AUDIT",),
            silent=("U0HEAD", LEAD),
            comment=True,
            open_for=timedelta(days=1),
            remind_after=timedelta(hours=2),
            escalate_after=timedelta(hours=6),
            escalate_to=(LEAD, "U0HEAD"),
            emergency=Emergency(("S0ONCALL",), timedelta(hours=12)),
        )
        assert config.rules.teams == (Team("voice", ("S0TECHS",), ("U0LEAD",)),)

    def test_defaults(self, tmp_path: Path) -> None:
        """What is left out: everybody may ask and read, nobody is reminded, and it is open as long as Slack's table says."""
        config = loaded('[slack]\npending_for = "3h"\n' + HQ + "[[policy]]\n" + ALL, tmp_path)
        assert config.rules.clauses[0].when == When()
        assert config.rules.clauses[0].rule == Rule("", "policy[0]", all=(Seats(("U0ANA",)),), open_for=timedelta(hours=3))

    def test_shorthand(self, tmp_path: Path) -> None:
        """A PBX's own keys make one rule behind all others; without approvers it has none."""
        config = loaded(BARE + 'approvers = ["U0ANA", "S0LEADS"]\napprovals = 2\nrequesters = ["S0TECHS"]\n', tmp_path)
        [clause] = config.rules.clauses
        assert clause.when == When(("hq",))
        assert clause.rule.all == (Seats(("U0ANA", "S0LEADS"), 2),)
        assert clause.rule.requesters == ("S0TECHS",)
        assert [clause.rule.line for clause in loaded(BARE + "[[policy]]\n" + ALL, tmp_path).rules.clauses] == ["policy[0]"]

    def test_the_other_tables(self, tmp_path: Path) -> None:
        """Times of day may be TOML's own; channels fall back on one another; a year of personal data is 365 days."""
        config = loaded(
            '[slack]\noutsiders = ["T0PARTNER", "U0BOT"]\ndigest_at = 07:30:00\ntimezone = "Europe/Berlin"\n'
            'operators_channel = "C0OPS"\n[risk]\nlongest_validity = "47d"\n[audit]\nwitness_at = "23:59"\n'
            'personal_data_for = "365d"\n' + HQ,
            tmp_path,
        )
        assert config.slack.outsiders == ("T0PARTNER", "U0BOT")
        assert (config.slack.digest_at, config.slack.timezone) == (time(7, 30), ZoneInfo("Europe/Berlin"))
        assert (config.operators_channel, config.audit_channel) == ("C0OPS", "C0OPS")
        assert config.risk.longest_validity == timedelta(days=47)
        assert (config.audit.witness_at, config.audit.personal_data_for) == (time(23, 59), timedelta(days=365))

    def test_channels(self, tmp_path: Path) -> None:
        """Without a channel of their own, operators and auditors read where the cards are."""
        bare: Config = loaded(HQ, tmp_path)
        assert (bare.operators_channel, bare.audit_channel) == ("C01CERTS", "C01CERTS")
        assert loaded('[audit]\nchannel = "C0AUDIT"\n' + HQ, tmp_path).audit_channel == "C0AUDIT"

    @pytest.mark.parametrize(
        "second",
        [
            'risk = ["weak_key", "last_slot"]\n',
            'kind = ["trusted"]\nrisk = ["weak_key"]\n',
            'requester = ["U0TESS", "U0TOM"]\nrisk = ["weak_key"]\n',
            'pbx = ["lab"]\nrisk = ["weak_key"]\n',
            "",
        ],
    )
    def test_rules_that_are_of_use(self, tmp_path: Path, second: str) -> None:
        """A rule is of use if there is one request that no rule before it takes."""
        first = 'pbx = ["hq"]\nkind = ["import"]\nrisk = ["wildcard", "weak_key"]\nrequester = ["U0TESS"]\n'
        lab = HQ.replace("hq", "lab")
        assert loaded(HQ + lab + f"[[policy]]\n{first}{ALL}[[policy]]\n{second}{ALL}", tmp_path).policy
