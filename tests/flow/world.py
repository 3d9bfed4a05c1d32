"""A Slack workspace, two PBXs and the bot between them, for one test."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml
from sqlalchemy import select

from bot import config as configuration
from bot.config import Config
from bot.exceptions import StoreError
from bot.house import WAITS, Bot, Waits
from bot.sandbox.clock import SandboxClock
from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority, Issued
from bot.sandbox.slack import Person, RateLimits, Workspace
from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Channel, Delivery
from bot.store import audit
from bot.store.tables import AgendaRow
from tests.unit.blockkit_rules import accept_message, accept_view

T = TypeVar("T")
MANIFEST = Path(__file__).parents[2] / "manifest.yml"
KEY = "0123456789abcdef" * 4

CONFIG = """
[database]
url = "{database}"
[secrets]
key = {{ env = "KEY" }}
[slack]
channel = "{certs}"
pending_for = "8h"
{slack}
[[pbx]]
name = "{names[hq]}"
url = "{hq.url}"
client_id = "{hq.client_id}"
client_secret = {{ env = "HQ_SECRET" }}
tls = "sha256:{hq.fingerprint}"
approvers = {approvers}
{pbx}
[[pbx]]
name = "{names[branch]}"
url = "{branch.url}"
client_id = "{branch.client_id}"
client_secret = {{ env = "BRANCH_SECRET" }}
tls = "sha256:{branch.fingerprint}"
channel = "{branch_channel}"
approvers = {approvers}
[[dns]]
name = "corp"
provider = "alidns"
AccessKeyId = {{ env = "ALI_ID" }}
AccessKeySecret = {{ env = "ALI_SECRET" }}
PropagationTimeout = 300
{policy}
"""
#: What must never be seen anywhere: the DNS credentials of the profile.
ALI_ID, ALI_SECRET = "LTAI-flow-test-id", "flow-test-secret-4f1c"


@dataclass
class World:
    """Everything a flow test needs, and nothing that looks inside the bot."""

    folder: Path
    clock: SandboxClock = field(default_factory=SandboxClock)
    slack_lines: str = ""
    pbx_lines: str = ""
    #: Tables behind all others: [[policy]], [[team]], [risk], [audit].
    policy_lines: str = ""
    #: What a PBX is called in the configuration, if not by its simulator's name.
    names: dict[str, str] = field(default_factory=dict)
    #: Variables of the bot's environment that are not what they should be.
    secrets: dict[str, str] = field(default_factory=dict)
    issuance_polls: int = 3
    bot: Bot | None = None
    #: A SQLite file in the folder, if it is not said.
    database_url: str = ""
    #: hq's ``system_date_format``.
    hq_dates: str = "YYYY/MM/DD"
    waits: Waits = WAITS
    #: The sandbox takes what comes in one after another, so that a moment is enough.
    grace: timedelta = timedelta(seconds=0.05)

    def __post_init__(self) -> None:
        self.database_url = self.database_url or f"sqlite:///{self.folder}/bot.db"
        manifest = yaml.safe_load(MANIFEST.read_text())
        self.slack = Workspace(manifest, limits=RateLimits.none(), now=self.clock)
        polls, dates = self.issuance_polls, self.hq_dates
        self.hq = PbxSimulator("hq", now=self.clock, issuance_polls=polls, system_date_format=dates)
        self.branch = PbxSimulator("branch", now=self.clock)
        self.slack.start()
        self.hq.start()
        self.branch.start()
        self.tess = self.slack.add_person("Tess Technician")
        self.ana = self.slack.add_person("Ana Lead")
        self.ben = self.slack.add_person("Ben Lead")
        self.carl = self.slack.add_person("Carl Colleague")
        everybody = (self.tess, self.ana, self.ben, self.carl)
        self.certs = self.slack.add_channel("pbx-certs", everybody)
        self.branch_channel = self.slack.add_channel("branch-pbx", (self.ana, self.ben))
        self.audit = self.slack.add_channel("pbx-audit", (self.ana,))
        self.leads = self.slack.add_group("leads", [self.ana, self.ben])
        self.approvers: tuple[str, ...] = (self.ana.id, self.ben.id)
        self.root = Authority.make("Flow Test Root")

    def environ(self) -> Mapping[str, str]:
        return {
            "KEY": KEY,
            "HQ_SECRET": self.hq.client_secret,
            "BRANCH_SECRET": self.branch.client_secret,
            "ALI_ID": ALI_ID,
            "ALI_SECRET": ALI_SECRET,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.url,
        } | self.secrets

    def write_config(self) -> Path:
        path = self.folder / "config.toml"
        path.write_text(
            CONFIG.format(
                database=self.database_url, certs=self.certs.id, hq=self.hq, branch=self.branch,
                branch_channel=self.branch_channel.id, approvers=[*self.approvers], slack=self.slack_lines, pbx=self.pbx_lines,
                policy=self.policy_lines + self._audit_lines(), names={"hq": "hq", "branch": "branch"} | self.names,
            ).replace("'", '"')
        )  # fmt: skip
        return path

    def _audit_lines(self) -> str:
        """The chain's head has a channel of its own, so that it is in nobody's way when the clock jumps."""
        return "" if "[audit]" in self.policy_lines else f'\n[audit]\nchannel = "{self.audit.id}"\n'

    def start(self, **environ: str) -> "World":
        """Start the bot as it is configured now; ``environ`` overrides."""
        return self.start_with(self.write_config(), **environ)

    def stop(self) -> None:
        if self.bot is not None:
            self.bot.stop()
            self.bot = None

    def close(self) -> None:
        """The end; everything that the bot showed in this world passes two foreign validators, too."""
        self.stop()
        self.slack.stop()
        self.hq.stop()
        self.branch.stop()
        self._accept_all_that_was_shown()

    def _accept_all_that_was_shown(self) -> None:
        for call in self.slack.log:
            if call.args.get("blocks"):
                accept_message(call.args["blocks"], call.args.get("text", ""))
            if call.args.get("view"):
                accept_view(call.args["view"])
        for delivery in self.slack.deliveries:
            if (delivery.ack or {}).get("view"):
                accept_view((delivery.ack or {})["view"])

    # What people do

    def open_form(self, person: Person | None = None, channel: Channel | None = None) -> Modal:
        person = person or self.tess
        assert person.command("/pbx-cert", "", channel or self.certs).outcome == "acked"
        return person.wait_modal(callback_id="form")

    def fill_trusted(self, form: Modal, *files: tuple[str, bytes], pbx: str = "hq") -> Modal:
        form.pick("pbx", pbx)
        form.attach("files", *(files or [("corp-root.crt", self.root.cert_pem)]))
        form.type("reason", "The new provider's phones")
        return form

    def fill_import(self, form: Modal, issued: Issued | None = None, *, pbx: str = "hq") -> Modal:
        issued = issued or self.leaf()
        self.choose_kind(form, "import")
        form.pick("pbx", pbx)
        form.attach("files", ("pbx.pem", issued.bundle_pem))
        form.type("reason", "The old one expires")
        return form

    def fill_apply(self, form: Modal, domain: str = "pbx.example.com", *, pbx: str = "hq") -> Modal:
        self.choose_kind(form, "apply")
        form.pick("pbx", pbx)
        form.type("domain", domain)
        form.choose("dns", "corp")
        form.type("reason", "People see a warning")
        return form

    def choose_kind(self, form: Modal, kind: str) -> None:
        """Choose it, and wait until the form shows that kind's fields."""
        shows = {"trusted": "f0:files", "import": "f0:auto_renewal", "apply": "f0:domain"}[kind]
        form.choose("kind", kind)
        self.slack.wait_for(lambda: any(block.get("block_id") == shows for block in form.view["blocks"]))

    def leaf(self, name: str = "pbx.example.com") -> Issued:
        return self.root.issue(name, sans=[name])

    def check(self, form: Modal, person: Person | None = None) -> Modal:
        """Submit the form and wait for what the check says: the evidence or the form again."""
        assert form.submit().outcome == "acked"
        assert not form.errors, form.errors
        self.slack.wait_for(lambda: form.view["callback_id"] != "checking")
        return form

    def ask(self, fill: Callable[..., Modal], person: Person | None = None, **how: Any) -> dict[str, Any]:
        """Fill in, check, confirm; returns the card."""
        before = len(self.cards())
        form = self.check(fill(self.open_form(person), **how))
        assert form.view["callback_id"] == "confirm", form.texts()
        form.submit()
        self.slack.wait_for(lambda: len(self.cards()) > before)
        return self.cards()[-1]

    def cards(self, channel: Channel | None = None) -> list[dict[str, Any]]:
        found = [message for each in self._channels(channel) for message in self.slack.messages(each)]
        return sorted(
            (m for m in found if m.get("blocks") and m["blocks"][0]["type"] == "header"), key=lambda m: float(m["ts"])
        )

    def _channels(self, channel: Channel | None) -> tuple[Channel, ...]:
        return (channel,) if channel else (self.certs, self.branch_channel)

    def thread(self, card: Mapping[str, Any]) -> list[str]:
        """Its lines in order; a message may tell several, a section each, and the buttons below belong to the last."""
        lines: list[list[dict[str, Any]]] = []
        for reply in self.slack.messages(card["channel"], thread_ts=card["ts"]):
            for block in reply.get("blocks") or []:
                if block["type"] == "section":
                    lines.append([])
                lines[-1].append(block)
        return [self.slack.read({"blocks": line}) for line in lines]

    def card(self, card: Mapping[str, Any]) -> str:
        """The card as it is now."""
        return next(self.slack.read(each) for each in self.cards() if each["ts"] == card["ts"])

    def wait_thread(self, card: Mapping[str, Any], words: str, timeout: float = 15) -> list[str]:
        self.slack.wait_for(lambda: any(words in line for line in self.thread(card)), timeout)
        return self.thread(card)

    def wait_card(self, card: Mapping[str, Any], words: str, timeout: float = 15) -> str:
        self.slack.wait_for(lambda: words in self.card(card), timeout)
        return self.card(card)

    def approve(self, card: Mapping[str, Any], person: Person | None = None) -> Delivery:
        delivery = (person or self.ana).click(dict(card), "approve")
        assert delivery.outcome == "acked"
        return delivery

    def told(self, person: Person, channel: Channel | None = None) -> list[str]:
        """What only this person sees: ephemeral answers and direct messages."""
        seen = [message for message in person.messages(channel or self.certs) if message.get("is_ephemeral")]
        return [self.slack.read(message) for message in (*seen, *person.dms())]

    def wait_told(self, person: Person, words: str, timeout: float = 10) -> str:
        def found() -> str | None:
            return next((text for text in self.told(person) if words in text), None)

        return self.slack.wait_for(found, timeout) or ""

    def verify_chain(self) -> None:
        assert self.bot is not None
        with self.bot.store.begin() as session:
            audit.verify(session)

    # Of use where time passes, where the bot goes and comes, and where something must not have happened

    def restart(self, **environ: str) -> "World":
        """Stop the bot and start it again as it is configured now."""
        self.stop()
        return self.start(**environ)

    def slack_calls(self, method: str) -> int:
        """How many calls of this method have come in."""
        return sum(call.method == method for call in self.slack.log)

    def count_lines(self, card: Mapping[str, Any], words: str) -> int:
        return sum(words in line for line in self.thread(card))

    def reject(self, card: Mapping[str, Any], reason: str, person: Person | None = None) -> Delivery:
        person = person or self.ana
        person.click(dict(card), "reject")
        modal = person.wait_modal(callback_id="reject")
        modal.type("reason", reason)
        return modal.submit()

    def line_message(self, card: Mapping[str, Any], words: str) -> dict[str, Any]:
        """The message of the thread that has these words, to act on."""
        replies = self.slack.messages(card["channel"], thread_ts=card["ts"])
        return next(reply for reply in reversed(replies) if words in self.slack.read(reply))

    def wait_until(self, happened: Callable[[], bool], timeout: float = 15) -> None:
        """For what can be seen in the bot's database alone: looked at again and again."""
        until = time.monotonic() + timeout
        while not happened():
            if time.monotonic() > until:
                raise TimeoutError(f"Waited {timeout} s for {happened}.")
            threading.Event().wait(0.02)

    def skip_until(self, happened: Callable[[], bool], *, times: int = 20, **by: float) -> None:
        """Let time jump again and again until it happened: for work that becomes due at a moment nobody can see."""
        for _ in range(times):
            self._let_it_rest()
            self.clock.advance(**by)
            try:
                self.slack.wait_for(happened, 0.5)
            except TimeoutError:
                continue
            return
        raise TimeoutError(f"This did not happen within {times} jumps of {by}.")

    def _let_it_rest(self, seconds: float = 2.0) -> None:
        """A jump in the middle of a visit would take the bot's lease on it; wait a moment for what is in hand."""
        until = time.monotonic() + seconds
        while self._is_at_work() and time.monotonic() < until:
            time.sleep(0.02)

    def _is_at_work(self) -> bool:
        if self.bot is None:
            return False
        try:
            with self.bot.store.begin() as session:
                return session.scalars(select(AgendaRow.id).where(AgendaRow.owner.is_not(None)).limit(1)).first() is not None
        except StoreError:
            return False

    def let_it_be_issued(self) -> None:
        """Skip the pauses between the bot's looks, until the PBX has issued what it applied for."""
        self.hq.wait_for(lambda: self.hq.count("certificate/create") > 0)
        while self.hq.certificates[-1].apply_status == "issuing":
            self._skip_a_pause()
        self._skip_a_pause()

    def _skip_a_pause(self) -> None:
        """Without effect while the bot is still at its last look, which is why this is repeated."""
        looks = self.hq.count("certificate/list")
        self.clock.advance(seconds=4)
        with suppress(TimeoutError):
            self.hq.wait_for(lambda: self.hq.count("certificate/list") > looks, timeout=0.2)

    def start_with(self, path: Path, **environ: str) -> "World":
        """Start the bot with a configuration that the test wrote itself."""

        def read() -> Config:
            return configuration.load(path, {**self.environ(), **environ})

        self.bot = Bot(read(), now=self.clock, waits=replace(self.waits, grace=self.grace), read=read)
        self.clock.moved = self.bot.loop.wake
        self.bot.start()
        self.slack.wait_connected()
        return self
