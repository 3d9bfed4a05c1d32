"""The workspace, its people, the PBXs, and the configuration for the bot."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from bot.sandbox.clock import SandboxClock
from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority
from bot.sandbox.slack import Workspace, utc_now
from bot.sandbox.web import mount, samples, welcome

#: Where `python -m bot` finds the bot, and where the app's manifest is.
PROJECT = Path(__file__).resolve().parents[3]

#: DNS credentials, of which the simulated PBX takes no others.
ALI_ID, ALI_SECRET = "LTAI5tSandboxOnly", "sandbox-secret-" + secrets.token_hex(8)

#: How often the bot must look until a certificate is issued.
LOOKS = 3

CONFIG = """\
# Written by `pbx-cert-bot sandbox`. The secrets are in the file "environment" beside this one.
[database]
url = "sqlite:///{folder}/bot.db"

[secrets]
key = {{ env = "PBX_CERT_BOT_KEY" }}

[slack]
channel = "{stage.approvals.id}"

[[pbx]]
name = "hq"
url = "{stage.hq.url}"
client_id = "{stage.hq.client_id}"
client_secret = {{ env = "HQ_CLIENT_SECRET" }}
tls = "sha256:{stage.hq.fingerprint}"
approvers = ["{stage.leads}"]

[[pbx]]
name = "branch"
url = "{stage.branch.url}"
client_id = "{stage.branch.client_id}"
client_secret = {{ env = "BRANCH_CLIENT_SECRET" }}
tls = "sha256:{stage.branch.fingerprint}"
channel = "{stage.branch_channel.id}"
approvers = ["{stage.ana.id}", "{stage.ben.id}"]

[[dns]]
name = "corp"
provider = "alidns"
AccessKeyId = {{ env = "ALI_ID" }}
AccessKeySecret = {{ env = "ALI_SECRET" }}
PropagationTimeout = 300
"""


class Stage:
    """Everything around the bot. Entering it starts the servers, all of them on this machine alone.

    With a ``clock``, which must then be the bot's too, time can be put forward on the page, and its first message says what to
    try.
    """

    def __init__(self, clock: SandboxClock | None = None) -> None:
        now = clock or utc_now
        self.slack = Workspace(yaml.safe_load((PROJECT / "manifest.yml").read_text("utf-8")), now=now)
        self.hq = PbxSimulator("hq", now=now, issuance_polls=LOOKS)
        self.branch = PbxSimulator("branch", now=now)
        for pbx in (self.hq, self.branch):
            pbx.dns.credentials("alidns", {"AccessKeyId": ALI_ID, "AccessKeySecret": ALI_SECRET})
        self.tess = self.slack.add_person("Tess")
        self.ana = self.slack.add_person("Ana")
        self.ben = self.slack.add_person("Ben")
        self.carl = self.slack.add_person("Carl")
        self.people = (self.tess, self.ana, self.ben, self.carl)
        self.leads = self.slack.add_group("telephony-leads", (self.ana, self.ben))
        self.telephony = self.slack.add_channel("telephony", self.people)
        self.approvals = self.slack.add_channel("pbx-approvals", (self.ana, self.ben))
        self.branch_channel = self.slack.add_channel("branch-pbx", (self.ana, self.ben))
        self.channels = (self.telephony, self.approvals, self.branch_channel)
        self.trunk_ca = Authority.make("Example Telecom Root CA")
        self.leaf = Authority.make("Example Corp Root CA").intermediate("Example Corp Issuing CA").issue("branch.example.com")
        self.key = secrets.token_urlsafe(32)
        people = list(zip(self.people, ("requester", "team lead", "team lead", "neither"), strict=True))
        mount(self.slack, (self.hq, self.branch), clock, people=people, home=self.telephony, files=samples())
        if clock is not None:
            welcome(self.slack, self.telephony, self._what_to_try())

    def __enter__(self) -> Self:
        self.slack.start()
        self.hq.start()
        self.branch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.branch.stop()
        self.hq.stop()
        self.slack.stop()

    def _what_to_try(self) -> tuple[str, str, str]:
        return (
            "1. *Ask*: you act as Tess. Send `/pbx-cert` here, choose hq, and take one of the files that the form offers.",
            f"2. *Decide*: act as Ana, a team lead (at the top), and approve the card in <#{self.approvals.id}>."
            " *PBX certificates* at the left has a *Home*, where each person finds what is theirs to do.",
            "3. *Make trouble*: flip a switch on a PBX (at the right), ask again, and see what the card's thread tells.",
        )

    def write_configuration(self, folder: Path) -> Path:
        """``config.toml``, and ``environment`` for a person who wants to call the bot by hand."""
        path = folder / "config.toml"
        path.write_text(CONFIG.format(folder=folder, stage=self), "utf-8")
        beside = folder / "environment"
        beside.touch(mode=0o600)
        beside.write_text("".join(f"{name}={value}\n" for name, value in self.settings().items()), "utf-8")
        return path

    def settings(self) -> Mapping[str, str]:
        """What the bot takes from its environment."""
        return {
            "PBX_CERT_BOT_KEY": self.key,
            "HQ_CLIENT_SECRET": self.hq.client_secret,
            "BRANCH_CLIENT_SECRET": self.branch.client_secret,
            "ALI_ID": ALI_ID,
            "ALI_SECRET": ALI_SECRET,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.url,
        }

    def environ(self) -> dict[str, str]:
        """Ours, without what leads away, and what the bot needs."""
        ours = {name: value for name, value in os.environ.items() if not leads_away(name)}
        return ours | dict(self.settings())

    def secrets(self) -> tuple[str, ...]:
        """What nobody must find in a log, in a message or in the database."""
        a_line_of_the_key = self.leaf.key_pem.decode().splitlines()[1]
        keys = [value for name, value in self.settings().items() if name not in ("ALI_ID", "SLACK_API_URL")]
        return (*keys, a_line_of_the_key)


def leads_away(name: str) -> bool:
    """Whether this variable would lead the bot to another Slack, or through a proxy to this machine."""
    return name.startswith("SLACK_") or name.upper().endswith("_PROXY")
