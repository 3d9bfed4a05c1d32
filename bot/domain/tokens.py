"""A PBX's access and refresh token, which the transport uses and the store keeps."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Tokens:
    """What ``get_token`` and ``refresh_token`` answer, with their seconds turned into moments (aware, UTC)."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_expires_at: datetime
    refresh_expires_at: datetime
