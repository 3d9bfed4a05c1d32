"""How this PBX writes dates: in the layout that its administrator chose, such as ``YYYY/MM/DD``."""

from dataclasses import dataclass
from datetime import datetime

PARTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d"}


def strftime_of(layout: str) -> str:
    """The vendor's layout of a date as a strftime format."""
    for part, directive in PARTS.items():
        layout = layout.replace(part, directive)
    return layout


@dataclass(frozen=True)
class DateStyle:
    """The layouts that ``system/information`` tells, and the one of ``expiration``, which the vendor does not."""

    date_format: str = "YYYY/MM/DD"
    time_format: str = "hh:mm:ss"
    #: A strftime format, or ``epoch`` for seconds since 1970; None follows the system's layout.
    expiration_format: str | None = None

    def expiration(self, moment: datetime) -> str:
        if self.expiration_format == "epoch":
            return str(int(moment.timestamp()))
        return moment.strftime(self.expiration_format) if self.expiration_format else self.system_time(moment)

    def system_time(self, moment: datetime) -> str:
        clock = "%I:%M:%S %p" if self.time_format.endswith("AM") else "%H:%M:%S"
        return moment.strftime(f"{strftime_of(self.date_format)} {clock}")
