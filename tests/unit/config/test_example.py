"""config.example.toml is complete and true."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.config import (
    AuditConfig,
    Config,
    DatabaseConfig,
    DnsProfile,
    PbxConfig,
    PolicyConfig,
    RiskConfig,
    SecretsConfig,
    SlackConfig,
    TeamConfig,
    load,
)
from bot.config.models import SLACK_ENVIRONMENT
from tests.unit.config.files import ENVIRON, MINIMAL

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"


class TestTheExample:
    MODELS: Mapping[str, type[Any]] = {
        "[database]": DatabaseConfig,
        "[secrets]": SecretsConfig,
        "[slack]": SlackConfig,
        "[[pbx]]": PbxConfig,
        "[[policy]]": PolicyConfig,
        "[[team]]": TeamConfig,
        "[risk]": RiskConfig,
        "[audit]": AuditConfig,
        "[[dns]]": DnsProfile,
    }

    def test_it_loads(self, tmp_path: Path) -> None:
        """The example is a good configuration once its environment is set."""
        shutil.copy(EXAMPLE, tmp_path / "config.toml")
        config = load(tmp_path / "config.toml", ENVIRON)
        assert config.pbx[0].approvers == ("U02LEAD", "S03LEADS")
        assert config.dns[0].values() == {
            "AccessKeyId": "secret-id",
            "AccessKeySecret": "secret-of-ali",
            "PropagationTimeout": 300,
        }

    @pytest.mark.parametrize("title", MODELS)
    def test_every_key_is_in_it(self, title: str) -> None:
        """Each key that a table may hold stands in the example, as a line or as a comment that is one."""
        text = EXAMPLE.read_text("utf-8")
        section = re.split(r"^\[", text.partition(f"\n{title}\n")[2], flags=re.MULTILINE)[0]
        keys = set(re.findall(r"^(?:# )?(\w+) = ", section, re.MULTILINE))
        expected = self.MODELS[title].model_fields.keys() - SLACK_ENVIRONMENT.keys() - {"params"}
        assert expected
        assert expected <= keys

    def test_every_variable_is_in_it(self) -> None:
        """Each variable of Slack's that the bot reads is named in the example."""
        text = EXAMPLE.read_text("utf-8")
        assert [name for name in SLACK_ENVIRONMENT.values() if name not in text] == []

    def test_it_shows_the_defaults(self, tmp_path: Path) -> None:
        """What the example says that is the default holds without it, so that a reader can trust it."""
        shutil.copy(EXAMPLE, tmp_path / "config.toml")
        config = load(tmp_path / "config.toml", ENVIRON)
        (tmp_path / "config.toml").write_text(MINIMAL, "utf-8")
        bare = load(tmp_path / "config.toml", ENVIRON)
        assert config.database == bare.database
        assert (config.slack, config.risk, config.audit) == (bare.slack, bare.risk, bare.audit)
        assert (config.pbx[0].tls, config.pbx[0].approvals) == (bare.pbx[0].tls, bare.pbx[0].approvals)

    def test_every_table_is_known_here(self) -> None:
        """This test's own list of tables is the one that the configuration has."""
        assert {title.strip("[]") for title in self.MODELS} == Config.model_fields.keys()
