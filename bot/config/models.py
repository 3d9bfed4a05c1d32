"""The tables of the configuration file, frozen."""

from collections.abc import Mapping
from datetime import time, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from bot.config import values
from bot.config.rules import Approvals, PolicyConfig, Table, TeamConfig, Time, policy_of
from bot.domain.rules import Policy
from bot.domain.windows import Windows

#: The fields of `SlackConfig` that the environment gives and the file must not hold.
SLACK_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "bot_token": "SLACK_BOT_TOKEN",
        "app_token": "SLACK_APP_TOKEN",
        "signing_secret": "SLACK_SIGNING_SECRET",
        "api_url": "SLACK_API_URL",
    }
)

Parameter = str | int | bool | SecretStr
Parameters = Annotated[
    Mapping[str, Annotated[Parameter, BeforeValidator(values.read_parameter)]],
    AfterValidator(MappingProxyType),
    PlainSerializer(dict, return_type=dict[str, Parameter]),
]


class DatabaseConfig(Table):
    """``[database]``. The URL may hold a password, so it is neither shown nor dumped."""

    url: Annotated[str, BeforeValidator(values.read_database_url)] = Field(
        default="sqlite:///pbx-cert-bot.db", repr=False, exclude=True
    )


class SecretsConfig(Table):
    """``[secrets]``: the key under which the database's secrets are encrypted."""

    key: Annotated[values.Secret, AfterValidator(values.check_key)]

    def key_bytes(self) -> bytes:
        """The key itself, 32 bytes."""
        key = values.key_bytes(self.key.get_secret_value())
        assert key is not None, "check_key has let this key in"
        return key


class SlackConfig(Table):
    """``[slack]``, and Slack's tokens from the environment."""

    #: Where cards are posted for a PBX that has no channel of its own.
    channel: values.ChannelId
    #: How long a request may wait for its approval.
    pending_for: Annotated[timedelta, BeforeValidator(values.read_duration), AfterValidator(values.positive)] = timedelta(
        hours=8
    )
    #: Whether people may type DNS credentials into the modal; if not, only ``[[dns]]`` profiles can be chosen.
    allow_typed_dns_credentials: StrictBool = False
    #: Who may press Try again and is told of trouble; empty means the approvers of the PBX. See `Config.operators_of`.
    operators: values.People = ()
    #: Where operators are told of what concerns the bot itself; empty means ``channel``.
    operators_channel: values.ChannelIdOrNone = ""
    #: Guests, bots and people of other workspaces may ask and approve only if they, or their workspace, are named here.
    outsiders: Annotated[tuple[values.OutsiderId, ...], AfterValidator(values.distinct)] = ()
    #: When, in ``timezone``, each approver is told once a day what waits for them.
    digest_at: values.TimeOfDay = time(9, 0)
    timezone: values.TimeZone = ZoneInfo("UTC")
    bot_token: Annotated[values.Secret, values.slack_token("xoxb-")]
    #: The app-level token of Socket Mode.
    app_token: Annotated[values.Secret, values.slack_token("xapp-")]
    #: Only HTTP mode needs it: docs.slack.dev/authentication/verifying-requests-from-slack.
    signing_secret: values.Secret | None = None
    #: The base of the Web API, with a slash at its end.
    api_url: Annotated[str, AfterValidator(values.read_api_url)] = "https://slack.com/api/"


class PbxConfig(Table):
    """``[[pbx]]``: one telephone system, and who decides about its certificates."""

    name: values.Name
    #: Scheme, host and port, without a slash at the end.
    url: Annotated[str, AfterValidator(values.read_pbx_url)]
    client_id: Annotated[str, values.matching(r"[\x21-\x7e]{1,200}", "must be the Client ID that the PBX shows")]
    client_secret: values.Secret
    #: "system", the absolute path of a CA file, or "sha256:" and 64 lower-case hex digits.
    tls: Annotated[str, AfterValidator(values.read_tls)] = "system"
    #: Where this PBX's cards are posted. Empty only until `Config` has filled in ``slack.channel``.
    channel: values.ChannelId = ""
    #: Who may ask; empty means everybody in the workspace.
    requesters: values.People = ()
    #: The shorthand for one rule behind all of ``[[policy]]``; empty only where those say it all.
    approvers: Annotated[values.People, AfterValidator(values.not_empty)] = Field(default=(), validate_default=False)
    approvals: Approvals = 1
    #: When it may be changed, by the clock of ``timezone``; empty means at all times.
    windows: Annotated[tuple[values.MaintenanceWindow, ...], AfterValidator(values.unlike)] = ()
    #: None only until `Config` has filled in ``slack.timezone``.
    timezone: values.TimeZone | None = None

    @property
    def maintenance(self) -> Windows:
        return Windows(self.windows, self.timezone or ZoneInfo("UTC"))

    @field_validator("requesters")
    @classmethod
    def _somebody(cls, requesters: tuple[str, ...]) -> tuple[str, ...]:
        if not requesters:  # An empty list could mean nobody just as well, so it has to be said.
            raise ValueError("is empty: leave it out to let everybody ask, or name who may")
        return requesters

    @field_validator("approvals")
    @classmethod
    def _reachable(cls, approvals: int, info: ValidationInfo) -> int:
        approvers: tuple[str, ...] = info.data.get("approvers", ())
        users_only = bool(approvers) and not any(approver.startswith("S") for approver in approvers)
        if users_only and approvals > len(approvers):
            raise ValueError(values.too_few(approvals, len(approvers)))
        return approvals


class DnsProfile(Table):
    """``[[dns]]``: a DNS provider's credentials under a name; every other key of the table is one of its parameters."""

    name: values.Name
    #: The flag by which the PBX knows the provider, such as "alidns".
    provider: Annotated[str, values.matching(r"[a-z0-9_-]{1,40}", 'must be a provider\'s flag such as "alidns"')]
    params: Parameters = Field(default_factory=dict, validate_default=True)

    def values(self) -> dict[str, str | int | bool]:
        """The parameters with their secrets in clear: for the PBX and the vault only."""
        return {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in self.params.items()}


class RiskConfig(Table):
    """``[risk]``: from where on a certificate is called risky."""

    #: A certificate that is valid for longer is of the risk ``long_validity`` (CA/B Forum, Ballot SC-081).
    longest_validity: Time = timedelta(days=398)


class AuditConfig(Table):
    """``[audit]``: the trail's witness, and for how long personal data stays in it."""

    #: Where the chain's head is posted once a day; empty means ``slack.operators_channel``.
    channel: values.ChannelIdOrNone = ""
    #: When, in ``slack.timezone``.
    witness_at: values.TimeOfDay = time(6, 0)
    #: So long after a request's end its personal data is reduced to what the chain needs; None is never.
    personal_data_for: Time | None = None


class Config(Table):
    """The whole configuration; nothing secret is in its repr or its dump."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    database: DatabaseConfig = DatabaseConfig()
    secrets: SecretsConfig
    slack: SlackConfig
    pbx: Annotated[tuple[PbxConfig, ...], AfterValidator(values.not_empty)]
    policy: tuple[PolicyConfig, ...] = ()
    team: tuple[TeamConfig, ...] = ()
    dns: tuple[DnsProfile, ...] = ()
    risk: RiskConfig = RiskConfig()
    audit: AuditConfig = AuditConfig()

    @field_validator("pbx")
    @classmethod
    def _filled_in(cls, pbxs: tuple[PbxConfig, ...], info: ValidationInfo) -> tuple[PbxConfig, ...]:
        slack: SlackConfig | None = info.data.get("slack")
        if slack is None:
            return pbxs
        common = {"channel": slack.channel, "timezone": slack.timezone}
        return tuple(
            pbx.model_copy(update={key: value for key, value in common.items() if not getattr(pbx, key)}) for pbx in pbxs
        )

    def pbx_named(self, name: str) -> PbxConfig | None:
        """The PBX of that name, in whatever case a person typed it."""
        return next((pbx for pbx in self.pbx if pbx.name.casefold() == name.casefold()), None)

    def dns_named(self, name: str) -> DnsProfile | None:
        return next((profile for profile in self.dns if profile.name.casefold() == name.casefold()), None)

    @cached_property
    def rules(self) -> Policy:
        """Who may ask and who may approve."""
        return policy_of(self)

    @property
    def operators_channel(self) -> str:
        """Where operators are told of what concerns the bot itself."""
        return self.slack.operators_channel or self.slack.channel

    @property
    def audit_channel(self) -> str:
        return self.audit.channel or self.operators_channel

    def operators_of(self, pbx: PbxConfig) -> tuple[str, ...]:
        """Who may press Try again for this PBX and is told of its trouble."""
        return self.slack.operators or pbx.approvers
