"""What the PBX says about its certificates and itself, without the DNS credentials that its answers can contain.

Fields after the vendor's pages developer-guide/query-certificate-list, add-a-certificate, delete-a-certificate and
query-pbx-information. An object keeps only the fields it names here, so ``auth_info_list`` is nowhere in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from bot.pbx.lenient import flag, number, text

Number = Annotated[int | None, BeforeValidator(number)]
Flag = Annotated[bool | None, BeforeValidator(flag)]
Text = Annotated[str, BeforeValidator(text)]


class CertificateType(StrEnum):
    """What a certificate is for."""

    #: A CA certificate that the PBX trusts; at most 20.
    TRUSTED = "trusted"
    #: A certificate of the PBX's own; at most 3.
    SERVER = "server"


class ApplyStatus(StrEnum):
    """How far the PBX has come with a certificate."""

    #: Being applied for.
    ISSUING = "issuing"
    #: There.
    SUCCESS = "issuance_success"
    #: Applying or renewing failed; ``apply_tip_code`` says why.
    FAILED = "issuance_fail"


def status_of(value: object) -> ApplyStatus | None:
    """None for a status that is missing or not known."""
    told = text(value)
    return ApplyStatus(told) if told in set(ApplyStatus) else None


def type_of(value: object) -> CertificateType | str:
    told = text(value)
    return CertificateType(told) if told in set(CertificateType) else told


class Told(BaseModel):
    """Something the PBX told. Errors do not repeat what was told, as it can hold credentials."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ListedCertificate(Told):
    """One certificate as the PBX lists it. The API shows neither a fingerprint nor the certificate itself."""

    id: Annotated[int, BeforeValidator(number)]
    name: Text = ""
    #: Text where the PBX knows a type that we do not.
    type: Annotated[CertificateType | str, BeforeValidator(type_of)] = ""
    issue_to: Text = ""
    #: None where the text cannot be read in one way only; aware, UTC (see `bot.pbx.dates` on time zones).
    expires: datetime | None = None
    expiration_text: Text = Field("", validation_alias=AliasChoices("expiration", "expiration_text"))
    #: ``upload`` or ``apply``; only for server certificates.
    ca_type: Text = ""
    auto_renewal: Flag = None
    dns_provider: Text = ""
    apply_status: Annotated[ApplyStatus | None, BeforeValidator(status_of)] = None
    #: From the DNS side; the vendor publishes no table of these.
    apply_tip_code: Number = None


class SystemInformation(Told):
    """The PBX itself; what it does not tell is empty or None."""

    device_name: Text = ""
    model: Text = Field("", validation_alias=AliasChoices("model_name", "model"))
    serial: Text = Field("", validation_alias=AliasChoices("sn", "serial", "serial_number"))
    firmware: Text = Field("", validation_alias=AliasChoices("firmware_version", "firmware"))
    system_time: Text = ""
    #: Seconds since the PBX was started.
    up_time: Number = None
    #: Like ``DD/MM/YYYY``.
    date_format: Text = Field("", validation_alias=AliasChoices("system_date_format", "date_format"))
    #: Like ``hh:mm:ss AM``.
    time_format: Text = Field("", validation_alias=AliasChoices("system_time_format", "time_format"))
    #: Seconds since 1970 by the PBX's clock.
    timestamp: Number = None


@dataclass(frozen=True)
class Created:
    """What ``certificate/create`` answers. It tells no id; the list does. ``name`` is empty if it was not told."""

    name: str
    apply_status: ApplyStatus | None


@dataclass(frozen=True)
class Deleted:
    """What the PBX needs after a deletion, and what no call of the API can do: a person must."""

    #: The PBX must be restarted.
    reboot: bool
    #: The configuration must be applied.
    apply: bool


@dataclass(frozen=True)
class DnsSettings:
    """A DNS provider by the vendor's flag name, with the parameters it wants."""

    provider: str
    params: Mapping[str, str | int | bool] = field(repr=False)

    def payload(self) -> dict[str, Any]:
        """The two fields of create and update; a value goes out under the key of its type."""
        if not self.provider:
            return {}
        entries = [{"k": key, _value_key(value): value} for key, value in self.params.items()]
        return {"dns_provider": self.provider, "auth_info_list": entries}

    def secrets(self) -> tuple[str, ...]:
        """The values that must not come back in a message."""
        return tuple(value for value in self.params.values() if isinstance(value, str))


def _value_key(value: str | int | bool) -> str:
    """``bv`` before ``iv``: for Python a bool is an int."""
    if isinstance(value, bool):
        return "bv"
    return "iv" if isinstance(value, int) else "sv"
