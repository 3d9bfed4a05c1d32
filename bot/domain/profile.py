"""What Slack says of a person, as far as it decides whether they may take part."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """One person by their id; e-mail and display name can change hands and are not looked at."""

    user: str
    #: The workspace that they belong to.
    team: str
    #: Whether that is the bot's own.
    is_ours: bool = True
    is_guest: bool = False
    is_bot: bool = False
    is_deactivated: bool = False
